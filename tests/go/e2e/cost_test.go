package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// The table of operations stands between these two lines of docs/operations.md.
const (
	tableStart = "<!-- costs -->\n"
	tableEnd   = "<!-- /costs -->"
)

// docs/operations.md lists the operations of each call. `cargo xtask operations` prints the table, and
// `cargo xtask operations --bless` writes it there.
func TestOnCloudflareCostOfEachCall(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "K")
	worker := harness.StartMiniflare(t, relays, "CACHE_HOT_LOOKUPS_PER_MINUTE=2", "MEMORY_CACHE_TTL_MS=0", "DISCOVERY_SIGNING_KEY="+key)
	c := worker.Client()
	ray := ""
	headers := func() []string { return []string{"Cf-Ray", ray} }
	lookup := func(t *testing.T) {
		if _, err := lookupColony(t, c, "m", headers()...); err != nil {
			t.Fatal(err)
		}
	}
	var session string
	sent := message("m")
	var table strings.Builder
	table.WriteString("| call | object requests | rows read | rows written | KV reads | KV writes |\n|---|---|---|---|---|---|\n")
	row := func(name string, objects, read, written, gets, puts int) {
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d |\n", name, objects, read, written, gets, puts)
	}
	for _, call := range []struct {
		name string
		make func(t *testing.T)
	}{
		{"`Health`, once in 30 seconds in each isolate, nothing published", func(t *testing.T) { health(t, c, headers()...) }},
		{"`Health` otherwise", func(t *testing.T) { health(t, c, headers()...) }},
		{"`LookupColony` of an unknown one", func(t *testing.T) {
			_, err := lookupColony(t, c, "m", headers()...)
			wantError(t, err, connect.CodeNotFound)
		}},
		{"`RegisterColony` for the first time", func(t *testing.T) { registerColony(t, c, colony("m", "k"), headers()...) }},
		{"`RegisterColony` again: a heartbeat", func(t *testing.T) { registerColony(t, c, colony("m", "k"), headers()...) }},
		{"`RegisterColony` refused", func(t *testing.T) {
			_, err := c.RegisterColony(deadline(t), send(colony("m", "other"), headers()...))
			wantError(t, err, connect.CodeAlreadyExists)
		}},
		{"`LookupColony`", lookup},
		{"`LookupColony` that is found to be hot, twice a minute", lookup},
		{"`LookupColony` of a hot one, from KV", func(t *testing.T) {
			untilCached(t, worker, "m")
			lookup(t)
		}},
		{"`RegisterColony` of a hot one with another record", func(t *testing.T) {
			request := everything("m")
			request.Pubkey = "k"
			registerColony(t, c, request, headers()...)
		}},
		{"`RegisterAgent` for the first time", func(t *testing.T) { registerAgent(t, c, agent("a", "m", "k"), headers()...) }},
		{"`RegisterAgent` again", func(t *testing.T) { registerAgent(t, c, agent("a", "m", "k"), headers()...) }},
		{"`RegisterAgent` in another mesh", func(t *testing.T) { registerAgent(t, c, agent("a", "m2", "k"), headers()...) }},
		{"`LookupAgent`", func(t *testing.T) {
			if _, err := lookupAgent(t, c, "a", "m", headers()...); err != nil {
				t.Fatal(err)
			}
		}},
		{"`RequestRelay`", func(t *testing.T) {
			granted, err := c.RequestRelay(deadline(t), send(requestRelay(), headers()...))
			if err != nil {
				t.Fatal(err)
			}
			session = granted.Msg.GetSessionId()
		}},
		{"`ReleaseRelay`", func(t *testing.T) {
			release := &discoveryv1.ReleaseRelayRequest{SessionId: session}
			if _, err := c.ReleaseRelay(deadline(t), send(release, headers()...)); err != nil {
				t.Fatal(err)
			}
		}},
		{"`CreateBootstrapToken`, the first of an address and a colony", func(t *testing.T) { costlyTicket(t, c, ray) }},
		{"`CreateBootstrapToken` again", func(t *testing.T) { costlyTicket(t, c, ray) }},
		{"`PublishBootstrapRendezvous`", func(t *testing.T) {
			answer, err := c.PublishBootstrapRendezvous(deadline(t), send(sent, headers()...))
			if err != nil {
				t.Fatal(err)
			}
			sent.RecordId = answer.Msg.GetRecordId()
		}},
		{"`PublishBootstrapRendezvous` again", func(t *testing.T) {
			if _, err := c.PublishBootstrapRendezvous(deadline(t), send(sent, headers()...)); err != nil {
				t.Fatal(err)
			}
		}},
		{"`PollBootstrapRendezvous` that finds it", func(t *testing.T) { costlyPoll(t, c, "m", ray) }},
		{"`PollBootstrapRendezvous` that waits in vain, however long", func(t *testing.T) { costlyPoll(t, c, "another", ray) }},
		{"`AckBootstrapRendezvous`", func(t *testing.T) {
			ack := &discoveryv1.AckBootstrapRendezvousRequest{MeshId: "m", RecordId: sent.GetRecordId(), WriteToken: sent.GetWriteToken()}
			if _, err := c.AckBootstrapRendezvous(deadline(t), send(ack, headers()...)); err != nil {
				t.Fatal(err)
			}
		}},
		{"any call that is invalid or beyond a limit", func(t *testing.T) {
			_, err := lookupColony(t, c, "", headers()...)
			wantError(t, err, connect.CodeInvalidArgument)
		}},
	} {
		t.Run(call.name, func(t *testing.T) {
			ray = t.Name()
			call.make(t)
			line := worker.RequestEntry(ray)
			row(call.name, line.ObjectRequests, line.RowsRead, line.RowsWritten, line.KVReads, line.KVWrites)
		})
	}
	// What happens behind the calls: an alarm is a request to its object.
	birth, alarm, death := sweepsOfALife(t)
	row("the first alarm of a colony's lease, with its report to the census", 2, birth.RowsRead, birth.RowsWritten, 0, 0)
	row("the alarm of a lease that is renewed, once in its time to live", 1, alarm.RowsRead, alarm.RowsWritten, 0, 0)
	row("the alarm after a death, with its report to the census", 2, death.RowsRead, death.RowsWritten, 0, 0)
	compareOperations(t, table.String())
}

func costlyTicket(t *testing.T, c client, ray string) {
	t.Helper()
	if _, err := ticket(t, c, askForTicket("a", "m"), "Cf-Ray", ray, "Cf-Connecting-Ip", "8.8.4.4"); err != nil {
		t.Fatal(err)
	}
}

func costlyPoll(t *testing.T, c client, meshID, ray string) {
	t.Helper()
	request := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: 1}
	if _, err := c.PollBootstrapRendezvous(deadline(t), send(request, "Cf-Ray", ray)); err != nil {
		t.Fatal(err)
	}
}

// sweepsOfALife returns the first sweep that finds a colony alive, the second, and the one that finds it dead.
func sweepsOfALife(t *testing.T) (born, alive, dead harness.SweepEntry) {
	worker := harness.Start(t, "REGISTRY_SHARDS=0", "DEFAULT_TTL_SECONDS=2", "CLEANUP_INTERVAL_MS=50")
	// So seldom that no renewal comes while a sweep runs, which comes 26 ms after a lease would have lapsed: what either finds
	// in memory depends on the other.
	const seldom = 600 * time.Millisecond
	var renewed time.Time
	harness.Eventually(t, patience, "two sweeps", func() bool {
		if time.Since(renewed) > seldom {
			registerColony(t, worker.Client(), colony("m", "k"))
			renewed = time.Now()
		}
		return len(worker.SweepsOf("colony:m")) >= 2
	})
	born, alive = worker.SweepsOf("colony:m")[0], worker.SweepsOf("colony:m")[1]
	// Nor does anybody call the object now.
	harness.Eventually(t, patience, "the lease is gone", func() bool {
		keys, _ := worker.Stored()
		return !slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, "lease:") })
	})
	_, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", "afterwards")
	wantError(t, err, connect.CodeNotFound)
	worker.RequestEntry("afterwards")
	sweeps := worker.SweepsOf("colony:m")
	return born, alive, sweeps[len(sweeps)-1]
}

// A memory of an isolate's own costs nothing.
func TestOnCloudflareCostOfAnswersFromMemory(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=30000")
	registerColony(t, worker.Client(), colony("m", "k"))
	for _, ray := range []string{"first", "second"} {
		if _, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", ray); err != nil {
			t.Fatal(err)
		}
	}
	line := worker.RequestEntry("second")
	if line.LookupSource != "memory" || line.ObjectRequests+line.KVReads+line.KVWrites+line.RowsRead+line.RowsWritten != 0 {
		t.Errorf("%+v", line)
	}
}

func compareOperations(t *testing.T, table string) {
	t.Helper()
	document := harness.Path("docs", "operations.md")
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(content), tableStart)
	documented, after, found := strings.Cut(rest, tableEnd)
	if !found {
		t.Fatalf("%s has no table between %q and %q", document, tableStart, tableEnd)
	}
	switch {
	case os.Getenv("BLESS") != "":
		blessed := before + tableStart + table + tableEnd + after
		if err := os.WriteFile(document, []byte(blessed), 0o600); err != nil {
			t.Fatal(err)
		}
	case os.Getenv("OPERATIONS") != "":
		fmt.Print(table)
	case documented != table:
		t.Errorf("%s says\n%s\nmeasured was\n%s", document, documented, table)
	}
}
