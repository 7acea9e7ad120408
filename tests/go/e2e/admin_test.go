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

const adminKey = "an-admin-key-of-32-bytes-or-more"

func adminClient(worker *harness.Worker) adminv1connect.AdminServiceClient {
	return adminv1connect.NewAdminServiceClient(http.DefaultClient, worker.URL)
}

func withAdminKey[M any](message *M) *connect.Request[M] {
	return newRequest(message, "Authorization", "Bearer "+adminKey)
}

func listLeases(t *testing.T, worker *harness.Worker, meshID string) []*adminv1.Lease {
	t.Helper()
	request := withAdminKey(&adminv1.ListLeasesRequest{MeshId: meshID})
	response, err := adminClient(worker).ListLeases(testContext(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return response.Msg.GetLeases()
}

// describe returns the kinds and ids of leases.
func describe(leases []*adminv1.Lease) string {
	var descriptions []string
	for _, lease := range leases {
		descriptions = append(descriptions, fmt.Sprint(lease.GetKind(), " ", lease.GetId()))
	}
	return strings.Join(descriptions, ", ")
}

func TestAdminListsAndEvictsLeasesOfAMesh(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "COLONY_COUNT_MAX_AGE_MS=0")
	c := worker.Client()
	registerColony(t, c, colony("m", "colony key"))
	registerColony(t, c, colony("m2", "k"))
	registerAgent(t, c, agent("a1", "m", "agent key"))
	registerAgent(t, c, agent("a1", "m2", "k"))
	recordID := publishRecord(t, c, newRecord("m"))
	all := "LEASE_KIND_COLONY m, LEASE_KIND_RENDEZVOUS " + recordID + ", LEASE_KIND_AGENT a1"
	harness.Eventually(t, testTimeout, "all leases are listed", func() bool {
		return describe(listLeases(t, worker, "m")) == all
	})
	leases := listLeases(t, worker, "m")
	for i, pubkey := range []string{"colony key", "", "agent key"} {
		if leases[i].GetPubkey() != pubkey {
			t.Errorf("%v, want key %q", leases[i], pubkey)
		}
	}
	for _, lease := range leases {
		isLive := lease.GetExpiresAt().AsTime().After(lease.GetRegisteredAt().AsTime())
		if lease.GetStoredBytes() < 20 || !isLive {
			t.Errorf("%v", lease)
		}
	}
	for _, message := range []*adminv1.EvictLeaseRequest{
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_COLONY},
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_RENDEZVOUS, Id: recordID},
		{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_AGENT, Id: "a1"},
	} {
		for _, want := range []bool{true, false} {
			response, err := adminClient(worker).EvictLease(testContext(t), withAdminKey(message))
			if err != nil || response.Msg.GetEvicted() != want {
				t.Errorf("%v: %v %v", message, response, err)
			}
		}
	}
	if remaining := listLeases(t, worker, "m"); len(remaining) != 0 {
		t.Errorf("not evicted: %v", remaining)
	}
	_, err := lookupColony(t, c, "m")
	wantError(t, err, connect.CodeNotFound)
	harness.Eventually(t, testTimeout, "the evicted colony is no longer counted", func() bool {
		return health(t, c).GetRegisteredColonies() == 1
	})
	registerColony(t, c, colony("m", "another key"))
	if _, err := lookupAgent(t, c, "a1", "m2"); err != nil {
		t.Errorf("agent of the other mesh: %v", err)
	}
	harness.Eventually(t, testTimeout, "the new colony is counted", func() bool {
		return health(t, c).GetRegisteredColonies() == 2
	})
}

func TestAdminServiceRequiresTheAdminKey(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "LOG_LEVEL=error")
	registerColony(t, worker.Client(), colony("m", "k"))
	list := &adminv1.ListLeasesRequest{MeshId: "m"}
	evict := &adminv1.EvictLeaseRequest{MeshId: "m", Kind: adminv1.LeaseKind_LEASE_KIND_COLONY}
	for _, authorization := range []string{
		"", "Bearer ", "Bearer " + adminKey[1:], "Bearer " + adminKey + "x", "Basic " + adminKey,
		adminKey,
	} {
		admin := adminClient(worker)
		_, err := admin.ListLeases(testContext(t), newRequest(list, "Authorization", authorization))
		wantError(t, err, connect.CodeUnauthenticated)
		_, err = admin.EvictLease(testContext(t), newRequest(evict, "Authorization", authorization))
		wantError(t, err, connect.CodeUnauthenticated)
	}
	if _, err := lookupColony(t, worker.Client(), "m"); err != nil {
		t.Error(err)
	}
	if leases := listLeases(t, worker, "m"); len(leases) != 1 {
		t.Errorf("%v", leases)
	}
	for _, want := range []harness.AdminEntry{
		{Method: "ListLeases", Status: http.StatusOK},
		{Method: "EvictLease", Status: http.StatusUnauthorized, Code: "unauthenticated"},
	} {
		harness.Eventually(t, testTimeout, "the log has "+want.Method, func() bool {
			isWanted := func(entry harness.AdminEntry) bool {
				return entry.Method == want.Method && entry.Status == want.Status &&
					entry.Code == want.Code
			}
			return slices.ContainsFunc(worker.AdminEntries(), isWanted)
		})
	}
	if strings.Contains(worker.Log(), adminKey[1:]) {
		t.Error("the log contains the admin key")
	}
}

func TestAdminServiceIsUnimplementedWithoutAKey(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	request := withAdminKey(&adminv1.ListLeasesRequest{MeshId: "m"})
	_, err := adminClient(worker).ListLeases(testContext(t), request)
	wantError(t, err, connect.CodeUnimplemented)
	short := harness.Start(t, "DISCOVERY_ADMIN_KEY=short")
	_, err = lookupColony(t, short.Client(), "m")
	wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_ADMIN_KEY", "at least 32")
}

// A registration of an agent calls only the agent's own object. The mesh's entry of the agent,
// which is written in a background task, outlives each renewal.
func TestMeshListsItsAgentsAfterTheirRegistration(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DISCOVERY_ADMIN_KEY="+adminKey, "DEFAULT_TTL_SECONDS=4",
		"CLEANUP_INTERVAL_MS=100", "COLONY_COUNT_MAX_AGE_MS=0")
	renew := func(ray string) {
		registerAgent(t, worker.Client(), agent("a", "m", "k"), "Cf-Ray", ray)
		if entry := worker.RequestEntry(ray); entry.ObjectRequests != 1 {
			t.Errorf("%+v", entry)
		}
	}
	isListed := func() bool { return describe(listLeases(t, worker, "m")) == "LEASE_KIND_AGENT a" }
	renew("first")
	harness.Eventually(t, testTimeout, "the agent is listed", isListed)
	for i := range 12 {
		renew(fmt.Sprint("renewal-", i))
		harness.Eventually(t, testTimeout, "the agent stays listed", isListed)
	}
	harness.Eventually(t, testTimeout, "the agent expires", func() bool {
		return len(listLeases(t, worker, "m")) == 0
	})
	harness.Eventually(t, testTimeout, "storage is empty", storageIsEmpty(worker))
}
