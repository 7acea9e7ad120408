// Soak makes a million calls of all kinds, malformed ones among them, and looks at what they leave behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	clients = 64
	// parts are what a run is looked at in.
	parts = 10
	// warming is how many calls it takes until memory is what it stays; half of the run, if that is shorter.
	warming = 200_000
	// growth is by how much memory may grow after that, in MiB: garbage that is not yet collected.
	growth = 64.0
	// ids are how many meshes and agents come and go.
	ids = 500
	// ttl is short, so that leases lapse all the time.
	ttl = 3 * time.Second
	// patience is how long storage may take to be given back.
	patience = 2 * time.Minute
)

func main() {
	calls := flag.Int("calls", 1_000_000, "how many calls")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		broken := soak(program, *calls)
		if broken == 0 {
			fmt.Printf("%d calls: memory is flat, no error that was not asked for, all storage is given back\n", *calls)
		} else {
			fmt.Printf("%d of what a long run must keep is broken\n", broken)
		}
		return min(broken, 1)
	})
}

func soak(t *harness.Program, calls int) int {
	// The Worker warns when the module's memory has grown by another 16 MiB.
	worker := harness.StartPinned(t, "0", "LOG_LEVEL=warn", "REGISTRY_SHARDS=64",
		fmt.Sprintf("DEFAULT_TTL_SECONDS=%d", int(ttl.Seconds())), "CLEANUP_INTERVAL_MS=1000")
	mix := mixed(worker.URL)
	var warm float64
	var warmLines int
	var total load.Result
	for range parts {
		result := load.Calls(clients, calls/parts, mix)
		total.Calls += result.Calls
		total.Errors += result.Errors
		if total.FirstError == nil {
			total.FirstError = result.FirstError
		}
		memory := load.MiB(worker.Usage().RSS)
		if warm == 0 && total.Calls >= min(warming, calls/2) {
			warm, warmLines = memory, len(worker.Lines())
		}
		fmt.Fprintf(os.Stderr, "%8d calls, %.0f/s, p99 %.0f ms, %.0f MiB, %d errors\n",
			total.Calls, result.PerSecond(), result.Quantile(99), memory, total.Errors)
	}
	memory := load.MiB(worker.Usage().RSS)
	var findings load.Findings
	findings.Expect(memory <= warm+growth, "memory: %.0f MiB once warm, %.0f MiB in the end", warm, memory)
	lines := worker.Lines()[warmLines:]
	findings.Expect(len(lines) == 0, "nothing in the log once warm, as of the module's memory growing (%d lines) %s",
		len(lines), strings.Join(lines, "\n"))
	findings.Expect(total.Errors == 0, "%d errors that were not asked for (%v)", total.Errors, total.FirstError)
	findings.Expect(givesBack(worker), "what has lapsed gives its storage back")
	return findings.Broken
}

// givesBack waits until objects store nothing but the counts of the census.
func givesBack(worker *harness.Worker) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		keys, alarms := worker.Stored()
		left := 0
		for _, key := range keys {
			if !strings.HasPrefix(key, "count:") {
				left++
			}
		}
		if left == 0 && alarms == 0 {
			return true
		}
	}
	return false
}

// mixed is one call of any kind.
func mixed(url string) load.Call {
	proto := load.NewClient(url, clients)
	json := load.NewClient(url, clients, connect.WithProtoJSON(), connect.WithSendGzip())
	raw := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	return func(ctx context.Context, number int) error {
		client := proto
		if number%2 == 0 {
			client = json
		}
		id := rand.IntN(ids)
		mesh, agent := fmt.Sprintf("soak-%d", id), fmt.Sprintf("agent-%d", id)
		switch rand.IntN(10) {
		case 0, 1:
			return client.Register(ctx, load.Colony(mesh, id))
		case 2, 3:
			return unlessGone(client.Lookup(ctx, mesh, id))
		case 4:
			return client.RegisterAgentOf(ctx, agent, mesh, id)
		case 5:
			return unlessGone(client.LookupAgentOf(ctx, agent, mesh, id))
		case 6:
			return client.Healthy(ctx)
		case 7:
			return client.LookupUnknown(ctx, fmt.Sprintf("unknown-%d", rand.IntN(100*ids)))
		case 8:
			_, err := client.RegisterColony(ctx, connect.NewRequest(&discoveryv1.RegisterColonyRequest{MeshId: mesh}))
			return load.Expect(err, connect.CodeInvalidArgument, "pubkey")
		default:
			return malformed(ctx, raw, url)
		}
	}
}

// unlessGone takes it that a lease has lapsed.
func unlessGone(err error) error {
	if connect.CodeOf(err) == connect.CodeNotFound {
		return nil
	}
	return err
}

// malformed sends what is no message, and must be told so.
func malformed(ctx context.Context, client *http.Client, url string) error {
	bodies := []string{"", "{", `{"meshId":1}`, `[]`, "\x00\xff", strings.Repeat("[", 5_000), `{"meshId":"\ud800"}`}
	types := []string{"application/json", "application/proto"}
	body := bodies[rand.IntN(len(bodies))]
	url += "/coral.discovery.v1.DiscoveryService/LookupColony"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", types[rand.IntN(len(types))])
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("status %d for %q", answer.StatusCode, body)
	}
	return nil
}
