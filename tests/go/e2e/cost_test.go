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

// docs/operations.md has the table of operations between these two lines. The cost model finds its
// rows by their names.
const (
	tableStart = "<!-- costs -->\n"
	tableEnd   = "<!-- /costs -->"
)

// The documented table lists the operations of each call. `cargo xtask operations` prints the
// table, and `cargo xtask operations --bless` writes it to the document.
func TestOnCloudflareCostOfEachCall(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "K")
	worker := harness.StartMiniflare(t, relays, "CACHE_HOT_LOOKUPS_PER_MINUTE=2",
		"MEMORY_CACHE_TTL_MS=0", "DISCOVERY_SIGNING_KEY="+key)
	calls := &meteredCalls{worker: worker, client: worker.Client(), record: newRecord("m")}
	table := newOperationTable()
	for _, call := range calls.all() {
		t.Run(call.name, func(t *testing.T) {
			calls.ray = t.Name()
			if err := call.make(t); err != nil {
				t.Fatal(err)
			}
			entry := worker.RequestEntry(calls.ray)
			table.add(call.name, entry.ObjectRequests, entry.RowsRead, entry.RowsWritten,
				entry.KVReads, entry.KVWrites)
		})
	}
	// An alarm is a request to its object, and so is a report to the census.
	first, renewed, expired := sweepsOfALease(t)
	table.add("first alarm of a colony's lease, with its report to the census",
		2, first.RowsRead, first.RowsWritten, 0, 0)
	table.add("alarm of a renewed lease, once per TTL",
		1, renewed.RowsRead, renewed.RowsWritten, 0, 0)
	table.add("alarm after a lease expired, with its report to the census",
		2, expired.RowsRead, expired.RowsWritten, 0, 0)
	compareOperations(t, table.String())
}

// operationTable is a table in Markdown.
type operationTable struct{ strings.Builder }

func newOperationTable() *operationTable {
	table := &operationTable{}
	table.WriteString("| call | object requests | rows read | rows written | KV reads | KV writes |\n")
	table.WriteString("|---|---|---|---|---|---|\n")
	return table
}

func (t *operationTable) add(
	name string, objectRequests, rowsRead, rowsWritten, kvReads, kvWrites int,
) {
	fmt.Fprintf(t, "| %s | %d | %d | %d | %d | %d |\n",
		name, objectRequests, rowsRead, rowsWritten, kvReads, kvWrites)
}

// meteredCalls makes the calls of the table, in order: some depend on calls before them.
type meteredCalls struct {
	worker *harness.Worker
	client client
	// ray is the id of the next request.
	ray     string
	session string
	record  *discoveryv1.PublishBootstrapRendezvousRequest
}

// meteredCall is one call: a row of the table.
type meteredCall struct {
	name string
	make func(t *testing.T) error
}

func (m *meteredCalls) all() []meteredCall {
	return []meteredCall{
		{"`Health` that refreshes the colony count, every 30 s in an isolate, KV empty", m.health},
		{"`Health`, colony count in memory", m.health},
		{"`LookupColony`, unknown colony", m.lookupUnknown},
		{"`RegisterColony`, first registration", m.registerColony},
		{"`RegisterColony`, renewal (heartbeat)", m.registerColony},
		{"`RegisterColony`, conflict with another owner", m.registerOtherKey},
		{"`LookupColony`, from the object", m.lookupColony},
		{"`LookupColony` that copies a hot key to KV, twice a minute", m.lookupColony},
		{"`LookupColony`, from KV", m.lookupFromKV},
		{"`RegisterColony`, renewal of a hot key with a changed record", m.registerChangedColony},
		{"`RegisterAgent`, first registration", m.registerAgentIn("m")},
		{"`RegisterAgent`, renewal", m.registerAgentIn("m")},
		{"`RegisterAgent`, same agent id in another mesh", m.registerAgentIn("m2")},
		{"`LookupAgent`", m.lookupAgent},
		{"`RequestRelay`", m.requestRelay},
		{"`ReleaseRelay`", m.releaseRelay},
		{"`CreateBootstrapToken`, first for a client address and a colony", m.createToken},
		{"`CreateBootstrapToken`, repeated", m.createToken},
		{"`PublishBootstrapRendezvous`, new record", m.publishRecord},
		{"`PublishBootstrapRendezvous`, replaced record", m.publishRecord},
		{"`PollBootstrapRendezvous`, record found", m.pollIn("m")},
		{"`PollBootstrapRendezvous`, timed out after any wait", m.pollIn("another")},
		{"`AckBootstrapRendezvous`", m.acknowledge},
		{"any call that is invalid or exceeds a limit", m.lookupInvalid},
	}
}

// meter returns a request whose log entry is found by the current ray.
func meter[T any](m *meteredCalls, message *T) *connect.Request[T] {
	return newRequest(message, "Cf-Ray", m.ray)
}

func (m *meteredCalls) health(t *testing.T) error {
	_, err := m.client.Health(testContext(t), meter(m, &discoveryv1.HealthRequest{}))
	return err
}

func (m *meteredCalls) lookupColony(t *testing.T) error {
	request := meter(m, &discoveryv1.LookupColonyRequest{MeshId: "m"})
	_, err := m.client.LookupColony(testContext(t), request)
	return err
}

func (m *meteredCalls) lookupUnknown(t *testing.T) error {
	wantError(t, m.lookupColony(t), connect.CodeNotFound)
	return nil
}

func (m *meteredCalls) lookupFromKV(t *testing.T) error {
	waitForKV(t, m.worker, "m")
	return m.lookupColony(t)
}

func (m *meteredCalls) lookupInvalid(t *testing.T) error {
	request := meter(m, &discoveryv1.LookupColonyRequest{})
	_, err := m.client.LookupColony(testContext(t), request)
	wantError(t, err, connect.CodeInvalidArgument)
	return nil
}

func (m *meteredCalls) registerColony(t *testing.T) error {
	_, err := m.client.RegisterColony(testContext(t), meter(m, colony("m", "k")))
	return err
}

func (m *meteredCalls) registerOtherKey(t *testing.T) error {
	_, err := m.client.RegisterColony(testContext(t), meter(m, colony("m", "other")))
	wantError(t, err, connect.CodeAlreadyExists)
	return nil
}

func (m *meteredCalls) registerChangedColony(t *testing.T) error {
	message := fullColony("m")
	message.Pubkey = "k"
	_, err := m.client.RegisterColony(testContext(t), meter(m, message))
	return err
}

func (m *meteredCalls) registerAgentIn(meshID string) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := m.client.RegisterAgent(testContext(t), meter(m, agent("a", meshID, "k")))
		return err
	}
}

func (m *meteredCalls) lookupAgent(t *testing.T) error {
	request := meter(m, &discoveryv1.LookupAgentRequest{AgentId: "a", MeshId: "m"})
	_, err := m.client.LookupAgent(testContext(t), request)
	return err
}

func (m *meteredCalls) requestRelay(t *testing.T) error {
	response, err := m.client.RequestRelay(testContext(t), meter(m, relayRequest()))
	if err == nil {
		m.session = response.Msg.GetSessionId()
	}
	return err
}

func (m *meteredCalls) releaseRelay(t *testing.T) error {
	request := meter(m, &discoveryv1.ReleaseRelayRequest{SessionId: m.session})
	_, err := m.client.ReleaseRelay(testContext(t), request)
	return err
}

func (m *meteredCalls) createToken(t *testing.T) error {
	request := meter(m, tokenRequest("a", "m"))
	request.Header().Set("Cf-Connecting-Ip", "8.8.4.4")
	_, err := m.client.CreateBootstrapToken(testContext(t), request)
	return err
}

func (m *meteredCalls) publishRecord(t *testing.T) error {
	response, err := m.client.PublishBootstrapRendezvous(testContext(t), meter(m, m.record))
	if err == nil {
		m.record.RecordId = response.Msg.GetRecordId()
	}
	return err
}

func (m *meteredCalls) pollIn(meshID string) func(*testing.T) error {
	return func(t *testing.T) error {
		message := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: 1}
		_, err := m.client.PollBootstrapRendezvous(testContext(t), meter(m, message))
		return err
	}
}

func (m *meteredCalls) acknowledge(t *testing.T) error {
	request := meter(m, &discoveryv1.AckBootstrapRendezvousRequest{
		MeshId: "m", RecordId: m.record.GetRecordId(), WriteToken: m.record.GetWriteToken(),
	})
	_, err := m.client.AckBootstrapRendezvous(testContext(t), request)
	return err
}

// sweepsOfALease returns three sweeps of a colony's object: the first two of a lease that is
// renewed, and the one after the lease has expired.
func sweepsOfALease(t *testing.T) (first, renewed, expired harness.SweepEntry) {
	t.Helper()
	worker := harness.Start(t,
		"REGISTRY_SHARDS=0", "DEFAULT_TTL_SECONDS=2", "CLEANUP_INTERVAL_MS=50")
	// A sweep runs 26 ms after a lease would have expired. With this interval no renewal comes at
	// the same time: the two would find each other's rows in the object's memory.
	const renewalInterval = 600 * time.Millisecond
	var renewedAt time.Time
	harness.Eventually(t, testTimeout, "two sweeps", func() bool {
		if time.Since(renewedAt) > renewalInterval {
			registerColony(t, worker.Client(), colony("m", "k"))
			renewedAt = time.Now()
		}
		return len(worker.SweepsOf("colony:m")) >= 2
	})
	sweeps := worker.SweepsOf("colony:m")
	first, renewed = sweeps[0], sweeps[1]
	// No call reaches the object until the lease is removed.
	harness.Eventually(t, testTimeout, "the lease is removed", func() bool {
		keys, _ := worker.Stored()
		return !slices.ContainsFunc(keys, isLeaseKey)
	})
	_, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", "afterwards")
	wantError(t, err, connect.CodeNotFound)
	worker.RequestEntry("afterwards")
	sweeps = worker.SweepsOf("colony:m")
	return first, renewed, sweeps[len(sweeps)-1]
}

// isLeaseKey returns true for the storage key of a lease.
func isLeaseKey(key string) bool { return strings.HasPrefix(key, "lease:") }

func TestOnCloudflareLookupFromMemoryCostsNoOperations(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t,
		"CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=30000")
	registerColony(t, worker.Client(), colony("m", "k"))
	for _, ray := range []string{"first", "second"} {
		if _, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", ray); err != nil {
			t.Fatal(err)
		}
	}
	entry := worker.RequestEntry("second")
	operations := entry.ObjectRequests + entry.KVReads + entry.KVWrites +
		entry.RowsRead + entry.RowsWritten
	if entry.LookupSource != "memory" || operations != 0 {
		t.Errorf("%+v", entry)
	}
}

// compareOperations compares a measured table with the documented one. OPERATIONS=1 prints the
// measured one instead, and BLESS=1 writes it to the document.
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
		t.Errorf("%s has\n%s\nmeasured was\n%s", document, documented, table)
	}
}
