package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// role is a server's role in the comparison.
type role string

const (
	floorA   role = "floor A"
	floorB   role = "floor B"
	uncached role = "uncached"
	hot      role = "hot"
	shards   role = "64 objects"
)

func (r role) isFloor() bool { return r == floorA || r == floorB }

// before returns the role of the other build's server.
func (r role) before() role { return r + ", before" }

func (r role) isBefore() bool { return strings.HasSuffix(string(r), ", before") }

// serverCore is the core that servers run on. Clients run on the others.
const serverCore = "0"

// withoutLog returns variables with which nothing is logged and no lease expires, as in the floors.
func withoutLog(vars ...string) []string {
	common := []string{"LOG_LEVEL=error", "DEFAULT_TTL_SECONDS=3600", "REGISTRY_SHARDS=0"}
	return append(common, vars...)
}

// highTokenLimits are limits of bootstrap tokens that a measurement does not reach. Tokens are
// counted all the same.
var highTokenLimits = []string{
	"TOKENS_PER_HOUR_PER_AGENT=1000000", "TOKENS_PER_HOUR_PER_COLONY=1000000",
}

var varsByRole = map[role][]string{
	uncached: withoutLog("CACHE_HOT_LOOKUPS_PER_MINUTE=0"),
	// All keys are hot from their first lookup and stay in the memory cache.
	hot: withoutLog("CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_MAX_ENTRIES=512",
		"MEMORY_CACHE_TTL_MS=30000"),
	shards: withoutLog("CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=64"),
}

func start(t harness.T, role role) *harness.Worker {
	floors := harness.Path("tests", "go", "cmd", "bench", "floors")
	switch role {
	case floorA:
		return harness.StartConfig(t, serverCore, floors+"/floor-a.capnp")
	case floorB:
		return harness.StartConfig(t, serverCore, floors+"/floor-b.capnp")
	default:
		return harness.StartPinned(t, serverCore, vars(t, role)...)
	}
}

// startBefore starts the Worker of another build, given the path of its checkout's xtask.
func startBefore(t harness.T, xtask string, role role) *harness.Worker {
	return harness.StartPinnedOf(t, xtask, serverCore, vars(t, role)...)
}

func vars(t harness.T, role role) []string {
	key, _ := harness.SigningKey(t, "bench")
	vars := append([]string{"DISCOVERY_SIGNING_KEY=" + key}, highTokenLimits...)
	return append(vars, varsByRole[role]...)
}

// startTime returns the time from the start of workerd to its first response: the median of some
// starts.
func startTime(t harness.T, role role) time.Duration {
	const starts = 9
	var times []time.Duration
	for range starts {
		started := time.Now()
		worker := start(t, role)
		client := load.NewClient(worker.URL, 1)
		// Any response will do: a floor's is constant, and the Worker finds no colony.
		_ = client.Lookup(context.Background(), colony(0), 0)
		times = append(times, time.Since(started))
		worker.Kill()
	}
	slices.Sort(times)
	return times[starts/2]
}

// bundleBytes returns the size of the Worker's upload: module and JavaScript, compressed.
func bundleBytes() (int64, error) {
	counter := &byteCounter{}
	writer, err := gzip.NewWriterLevel(counter, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"index.js", "index_bg.wasm"} {
		file, err := os.Open(harness.Path("build", name))
		if err != nil {
			return 0, fmt.Errorf("%w: run `cargo xtask build` first", err)
		}
		_, err = io.Copy(writer, file)
		file.Close()
		if err != nil {
			return 0, err
		}
	}
	return counter.bytes, writer.Close()
}

// byteCounter is an io.Writer that counts bytes.
type byteCounter struct{ bytes int64 }

func (c *byteCounter) Write(bytes []byte) (int, error) {
	c.bytes += int64(len(bytes))
	return len(bytes), nil
}
