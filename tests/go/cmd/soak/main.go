// Command soak makes a million calls of all kinds, malformed ones among them, and checks what they
// leave behind: memory, log entries and storage.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	clients = 64
	// parts is the number of parts of a run. Memory is measured after each.
	parts = 10
	// warmUpCalls is the number of calls after which memory should be stable, at most half of a run.
	warmUpCalls = 200_000
	// maxGrowthMiB is the memory by which the process may grow after that: garbage that is not
	// collected yet.
	maxGrowthMiB = 64.0
	// ids is the number of meshes, and of agents.
	ids = 500
	// ttl is short, so that leases expire all the time.
	ttl = 3 * time.Second
	// sweepTimeout bounds the time until all storage is empty.
	sweepTimeout = 2 * time.Minute
)

func main() {
	calls := flag.Int("calls", 1_000_000, "number of calls")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		failed := soak(program, *calls)
		if failed == 0 {
			fmt.Printf("%d calls: stable memory, no unexpected error, empty storage\n", *calls)
		} else {
			fmt.Printf("%d checks failed\n", failed)
		}
		return min(failed, 1)
	})
}

func soak(t *harness.Program, calls int) (failed int) {
	// The Worker logs a warning whenever its memory has grown by another 16 MiB.
	worker := harness.StartPinned(t, "0", "LOG_LEVEL=warn", "REGISTRY_SHARDS=64",
		fmt.Sprintf("DEFAULT_TTL_SECONDS=%d", int(ttl.Seconds())), "CLEANUP_INTERVAL_MS=1000")
	call := mixedCalls(worker.URL)
	var warmMiB float64
	var warmLines int
	var total load.Result
	for range parts {
		result := load.Calls(clients, calls/parts, call)
		total.Calls += result.Calls
		total.Errors += result.Errors
		if total.FirstError == nil {
			total.FirstError = result.FirstError
		}
		memory := load.MiB(worker.Usage().RSS)
		if warmMiB == 0 && total.Calls >= min(warmUpCalls, calls/2) {
			warmMiB, warmLines = memory, len(worker.Lines())
		}
		fmt.Fprintf(os.Stderr, "%8d calls, %.0f/s, p99 %.0f ms, %.0f MiB, %d errors\n",
			total.Calls, result.PerSecond(), result.Percentile(99), memory, total.Errors)
	}
	memory := load.MiB(worker.Usage().RSS)
	var checks load.Checks
	checks.Expect(memory <= warmMiB+maxGrowthMiB,
		"memory: %.0f MiB after the warm-up, %.0f MiB at the end", warmMiB, memory)
	lines := worker.Lines()[warmLines:]
	checks.Expect(len(lines) == 0, "no log entries after the warm-up (%d lines) %s",
		len(lines), strings.Join(lines, "\n"))
	checks.Expect(total.Errors == 0, "%d unexpected errors (%v)", total.Errors, total.FirstError)
	checks.Expect(becomesEmpty(worker), "storage is empty once all leases have expired")
	return checks.Failed
}

// becomesEmpty waits until objects store nothing but the counts of the census.
func becomesEmpty(worker *harness.Worker) bool {
	isCount := func(key string) bool { return strings.HasPrefix(key, "count:") }
	for end := time.Now().Add(sweepTimeout); time.Now().Before(end); time.Sleep(time.Second) {
		keys, alarms := worker.Stored()
		if len(slices.DeleteFunc(keys, isCount)) == 0 && alarms == 0 {
			return true
		}
	}
	return false
}

// mixedCalls returns calls of all kinds.
func mixedCalls(url string) load.Call {
	proto := load.NewClient(url, clients)
	json := load.NewClient(url, clients, connect.WithProtoJSON(), connect.WithSendGzip())
	httpClient := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
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
			return ignoreNotFound(client.Lookup(ctx, mesh, id))
		case 4:
			return client.RegisterAgentOf(ctx, agent, mesh, id)
		case 5:
			return ignoreNotFound(client.LookupAgentOf(ctx, agent, mesh, id))
		case 6:
			return client.CheckHealth(ctx)
		case 7:
			return client.LookupUnknown(ctx, fmt.Sprintf("unknown-%d", rand.IntN(100*ids)))
		case 8:
			_, err := client.RegisterColony(ctx, connect.NewRequest(
				&discoveryv1.RegisterColonyRequest{MeshId: mesh}))
			return load.ExpectError(err, connect.CodeInvalidArgument, "pubkey")
		default:
			return sendMalformed(ctx, httpClient, url)
		}
	}
}

// ignoreNotFound ignores not_found: the lease may have expired.
func ignoreNotFound(err error) error {
	if connect.CodeOf(err) == connect.CodeNotFound {
		return nil
	}
	return err
}

// sendMalformed sends a malformed message, and expects status 400.
func sendMalformed(ctx context.Context, client *http.Client, url string) error {
	bodies := []string{
		"", "{", `{"meshId":1}`, `[]`, "\x00\xff", strings.Repeat("[", 5_000), `{"meshId":"\ud800"}`,
	}
	types := []string{"application/json", "application/proto"}
	body := bodies[rand.IntN(len(bodies))]
	url += discoveryv1connect.DiscoveryServiceLookupColonyProcedure
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", types[rand.IntN(len(types))])
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("status %d for %q", response.StatusCode, body)
	}
	return nil
}
