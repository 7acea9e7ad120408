package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// role is what a server is in the comparison.
type role string

const (
	floorA   role = "floor A"
	floorB   role = "floor B"
	uncached role = "uncached"
	hot      role = "hot"
	shards   role = "64 objects"
)

// serverCore is the core that servers have for themselves: the client has the others.
const serverCore = "0"

// quiet are the settings in which nothing is logged and nothing lapses, as the floors do neither.
func quiet(more ...string) []string {
	return append([]string{"LOG_LEVEL=error", "DEFAULT_TTL_SECONDS=3600", "REGISTRY_SHARDS=0"}, more...)
}

// unlimited are tickets that count and are never too many.
var unlimited = []string{"TOKENS_PER_HOUR_PER_AGENT=1000000", "TOKENS_PER_HOUR_PER_COLONY=1000000"}

var settings = map[role][]string{
	uncached: quiet("CACHE_HOT_LOOKUPS_PER_MINUTE=0"),
	// All keys are hot from the first lookup and stay in the isolate's memory.
	hot:    quiet("CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_MAX_ENTRIES=512", "MEMORY_CACHE_TTL_MS=30000"),
	shards: quiet("CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=64"),
}

func start(t harness.T, who role) *harness.Worker {
	switch who {
	case floorA:
		return harness.StartConfig(t, serverCore, harness.Path("tests/go/cmd/bench/floors/floor-a.capnp"))
	case floorB:
		return harness.StartConfig(t, serverCore, harness.Path("tests/go/cmd/bench/floors/floor-b.capnp"))
	default:
		key, _ := harness.SigningKey(t, "bench")
		vars := append([]string{"DISCOVERY_SIGNING_KEY=" + key}, unlimited...)
		return harness.StartPinned(t, serverCore, append(vars, settings[who]...)...)
	}
}

// startUp returns how long it takes from the start of workerd to its first answer: the median of some starts.
func startUp(t harness.T, who role) time.Duration {
	const starts = 9
	var took []time.Duration
	for range starts {
		started := time.Now()
		worker := start(t, who)
		client := load.NewClient(worker.URL, 1)
		// The floor's answer to a lookup says nothing wrong that matters.
		_ = client.Lookup(context.Background(), colony(0), 0)
		took = append(took, time.Since(started))
		worker.Kill()
	}
	slices.Sort(took)
	return took[starts/2]
}

// bundleBytes returns what the Worker has when it is uploaded: module and JavaScript, compressed.
func bundleBytes() (int64, error) {
	counter := &counter{}
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

type counter struct{ bytes int64 }

func (c *counter) Write(bytes []byte) (int, error) {
	c.bytes += int64(len(bytes))
	return len(bytes), nil
}
