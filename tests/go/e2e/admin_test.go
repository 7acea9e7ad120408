package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/admin/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/admin/v1/adminv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

const adminKey = "an-operator's-secret,long-enough"

func operator(worker *harness.Worker) adminv1connect.AdminServiceClient {
	return adminv1connect.NewAdminServiceClient(http.DefaultClient, worker.URL)
}

func asOperator[M any](message *M) *connect.Request[M] {
	return send(message, "Authorization", "Bearer "+adminKey)
}

func listed(t *testing.T, worker *harness.Worker, meshID string) []*adminv1.Lease {
	t.Helper()
	answer, err := operator(worker).ListLeases(deadline(t), asOperator(&adminv1.ListLeasesRequest{MeshId: meshID}))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg.GetLeases()
}

// named are the kinds and ids of leases.
func named(leases []*adminv1.Lease) string {
	var names []string
	for _, lease := range leases {
		names = append(names, fmt.Sprint(lease.GetKind(), " ", lease.GetId()))
	}
	return strings.Join(names, ", ")
}

func TestOperatorSeesAndEndsLeasesOfAMesh(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "COLONY_COUNT_MAX_AGE_MS=0")
	c := worker.Client()
	registerColony(t, c, colony("m", "colony key"))
	registerColony(t, c, colony("m2", "k"))
	registerAgent(t, c, agent("a1", "m", "agent key"))
	registerAgent(t, c, agent("a1", "m2", "k"))
	recordID := left(t, c, message("m"))
	all := "LEASE_KIND_COLONY m, LEASE_KIND_RENDEZVOUS " + recordID + ", LEASE_KIND_AGENT a1"
	harness.Eventually(t, patience, "all are listed", func() bool { return named(listed(t, worker, "m")) == all })
	leases := listed(t, worker, "m")
	if leases[0].GetPubkey() != "colony key" || leases[1].GetPubkey() != "" || leases[2].GetPubkey() != "agent key" {
		t.Errorf("%v", leases)
	}
	for _, lease := range leases {
		if lease.GetStoredBytes() < 20 || !lease.GetExpiresAt().AsTime().After(lease.GetRegisteredAt().AsTime()) {
			t.Errorf("%v", lease)
		}
	}
	for _, evicted := range []*adminv1.EvictLeaseRequest{
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_COLONY},
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_RENDEZVOUS, Id: recordID},
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_AGENT, Id: "a1"},
	} {
		for _, want := range []bool{true, false} {
			answer, err := operator(worker).EvictLease(deadline(t), asOperator(evicted))
			if err != nil || answer.Msg.GetEvicted() != want {
				t.Errorf("%v: %v %v", evicted, answer, err)
			}
		}
	}
	if left := listed(t, worker, "m"); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	_, err := lookupColony(t, c, "m")
	wantError(t, err, connect.CodeNotFound)
	harness.Eventually(t, patience, "the census counts the other alone", func() bool {
		return health(t, c).GetRegisteredColonies() == 1
	})
	registerColony(t, c, colony("m", "another key"))
	if _, err := lookupAgent(t, c, "a1", "m2"); err != nil {
		t.Errorf("of another mesh: %v", err)
	}
	harness.Eventually(t, patience, "the census counts two", func() bool {
		return health(t, c).GetRegisteredColonies() == 2
	})
}

func TestOnlyOperatorsAreLetIn(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "LOG_LEVEL=error")
	registerColony(t, worker.Client(), colony("m", "k"))
	list := &adminv1.ListLeasesRequest{MeshId: "m"}
	evict := &adminv1.EvictLeaseRequest{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_COLONY}
	for _, value := range []string{"", "Bearer ", "Bearer " + adminKey[1:], "Bearer " + adminKey + "x", "Basic " + adminKey, adminKey} {
		_, err := operator(worker).ListLeases(deadline(t), send(list, "Authorization", value))
		wantError(t, err, connect.CodeUnauthenticated)
		_, err = operator(worker).EvictLease(deadline(t), send(evict, "Authorization", value))
		wantError(t, err, connect.CodeUnauthenticated)
	}
	if _, err := lookupColony(t, worker.Client(), "m"); err != nil {
		t.Error(err)
	}
	if leases := listed(t, worker, "m"); len(leases) != 1 {
		t.Errorf("%v", leases)
	}
	for _, want := range []harness.AdminEntry{
		{Method: "ListLeases", Status: 200},
		{Method: "EvictLease", Status: 401, Code: "unauthenticated"},
	} {
		harness.Eventually(t, patience, "an entry of "+want.Method, func() bool {
			return slices.ContainsFunc(worker.AdminEntries(), func(entry harness.AdminEntry) bool {
				return entry.Method == want.Method && entry.Status == want.Status && entry.Code == want.Code
			})
		})
	}
	if strings.Contains(worker.Log(), adminKey[1:]) {
		t.Error("the log has the secret")
	}
}

func TestWithoutASecretThereIsNothingForOperators(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	_, err := operator(worker).ListLeases(deadline(t), asOperator(&adminv1.ListLeasesRequest{MeshId: "m"}))
	wantError(t, err, connect.CodeUnimplemented)
	short := harness.Start(t, "DISCOVERY_ADMIN_KEY=short")
	_, err = lookupColony(t, short.Client(), "m")
	wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_ADMIN_KEY", "at least 32")
}

// An agent's registration waits for its own object alone; what its mesh hears of it later outlives each renewal.
func TestAMeshHearsOfItsAgentsLater(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "DEFAULT_TTL_SECONDS=4", "CLEANUP_INTERVAL_MS=100", "COLONY_COUNT_MAX_AGE_MS=0")
	renew := func(ray string) {
		registerAgent(t, worker.Client(), agent("a", "m", "k"), "Cf-Ray", ray)
		if line := worker.RequestEntry(ray); line.ObjectRequests != 1 {
			t.Errorf("%+v", line)
		}
	}
	renew("first")
	harness.Eventually(t, patience, "it is listed", func() bool { return named(listed(t, worker, "m")) == "LEASE_KIND_AGENT a" })
	for i := range 12 {
		renew(fmt.Sprint("renewal-", i))
		harness.Eventually(t, patience, "it stays", func() bool { return named(listed(t, worker, "m")) == "LEASE_KIND_AGENT a" })
	}
	harness.Eventually(t, patience, "it lapses", func() bool { return len(listed(t, worker, "m")) == 0 })
	harness.Eventually(t, patience, "nothing is stored", nothingIsStored(worker))
}
