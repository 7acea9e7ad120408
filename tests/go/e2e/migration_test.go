package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// public is where a caller is, as a proxy in front of the Worker tells.
var public = []string{"X-Forwarded-For", "9.9.9.9"}

// migrating runs an old server, and a Worker that knows of it.
func migrating(t *testing.T, vars ...string) (*harness.OldServer, *harness.Worker) {
	t.Helper()
	old := harness.StartOldServer(t)
	return old, harness.Start(t, append([]string{"LEGACY_DISCOVERY_URL=" + old.URL}, vars...)...)
}

// wantNotFoundNow is the answer to a lookup that only the old server could have answered.
func wantNotFoundNow(t *testing.T, err error) {
	t.Helper()
	// Agents that wait for their colony do so while the text says that.
	wantError(t, err, connect.CodeUnavailable, "not found", "old server")
	if metadata(err).Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestMigrationFindsWhoIsOnlyAtTheOldServer(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	left := colony("left", "k")
	left.Metadata = map[string]string{"wireguard_port": "51820"}
	registerColony(t, old.Client(), left, public...)
	registerAgent(t, old.Client(), agent("left-agent", "left", "a"))
	forEachCodec(t, worker, func(t *testing.T, c client) {
		answer, err := c.LookupColony(deadline(t), send(&discoveryv1.LookupColonyRequest{MeshId: "left"}, "Cf-Ray", t.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if source := answer.Header().Get("Coral-Discovery-Source"); source != "legacy" {
			t.Errorf("source %q", source)
		}
		found := answer.Msg
		if found.Pubkey != "k" || found.Metadata["wireguard_port"] != "51820" || found.LastSeen == nil {
			t.Errorf("%v", found)
		}
		if len(found.ObservedEndpoints) != 1 || found.ObservedEndpoints[0].Ip != "9.9.9.9" {
			t.Errorf("observed %v", found.ObservedEndpoints)
		}
		if len(found.Relays) != 0 {
			t.Errorf("the old server's relay does not exist: %v", found.Relays)
		}
		if line := worker.Request(t.Name()); line.AnsweredBy != "legacy" || line.Legacy != "done" {
			t.Errorf("%+v", line)
		}
		found2, err := lookupAgent(t, c, "left-agent", "left")
		if err != nil {
			t.Fatal(err)
		}
		if found2.MeshId != "left" || found2.Pubkey != "a" {
			t.Errorf("%v", found2)
		}
	})
}

func TestMigrationWhatNeitherServerKnowsIsNotFound(t *testing.T) {
	t.Parallel()
	_, worker := migrating(t)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "neither")
	wantError(t, err, connect.CodeNotFound, "colony not found: unknown")
	if line := worker.Request("neither"); line.Legacy != "not_found" || line.AnsweredBy != "object" {
		t.Errorf("%+v", line)
	}
	_, err = lookupAgent(t, worker.Client(), "unknown", "")
	wantError(t, err, connect.CodeNotFound, "agent not found: unknown")
}

func TestMigrationWhoIsRegisteredHereIsNotAskedFor(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	registerColony(t, worker.Client(), colony("m", "k"))
	old.Kill()
	if _, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", "known"); err != nil {
		t.Fatal(err)
	}
	if line := worker.Request("known"); line.Legacy != "" || line.AnsweredBy != "object" {
		t.Errorf("%+v", line)
	}
}

func TestMigrationRegistrationsReachTheOldServer(t *testing.T) {
	t.Parallel()
	for _, awaited := range []string{"false", "true"} {
		t.Run("awaited "+awaited, func(t *testing.T) {
			t.Parallel()
			old, worker := migrating(t, "LEGACY_AWAITED="+awaited)
			moved := colony("moved", "k")
			moved.Metadata = map[string]string{"a": "b"}
			moved.PublicEndpoint = &discoveryv1.PublicEndpointInfo{Enabled: true, Url: "https://example.org"}
			here := registerColony(t, worker.Client(), moved, public...)
			stun := agent("moved-agent", "moved", "a")
			stun.Endpoints = nil
			stun.ObservedEndpoint = &discoveryv1.Endpoint{Ip: "9.9.9.10", Port: 40000, Protocol: "udp"}
			registerAgent(t, worker.Client(), stun, public...)
			// Who waits is also asked for whether they hold their id here.
			registerColony(t, worker.Client(), moved, append(public, "Cf-Ray", "heartbeat")...)
			requests := map[string]int{"false": 1, "true": 2}[awaited]
			if line := worker.Request("heartbeat"); line.ObjectRequests != requests || line.RowsWritten != 1 {
				t.Errorf("%+v", line)
			}
			wantMoved := func() bool {
				colony, err := lookupColony(t, old.Client(), "moved")
				if err != nil {
					return false
				}
				agent, err := lookupAgent(t, old.Client(), "moved-agent", "")
				return err == nil && colony.Metadata["a"] == "b" && proto.Equal(colony.PublicEndpoint, moved.PublicEndpoint) &&
					proto.Equal(colony.ObservedEndpoints[0], here.ObservedEndpoint) &&
					proto.Equal(agent.ObservedEndpoints[0], stun.ObservedEndpoint)
			}
			if awaited == "true" {
				if !wantMoved() {
					t.Error("not there after the answer")
				}
				return
			}
			harness.Eventually(t, patience, "both at the old server", wantMoved)
		})
	}
}

func TestMigrationRollbackLosesNobody(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true")
	registerColony(t, old.Client(), colony("never-moved", "k"))
	registerColony(t, worker.Client(), colony("moved", "k"))
	worker.Kill()
	for _, id := range []string{"never-moved", "moved"} {
		if _, err := lookupColony(t, old.Client(), id); err != nil {
			t.Error(err)
		}
	}
	// They come back with their next heartbeats.
	registerColony(t, old.Client(), colony("moved", "k"))
}

func TestMigrationChangesReachTheOldServerWithTheNextHeartbeat(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	for _, endpoint := range []string{"203.0.113.7:1", "203.0.113.99:1"} {
		heartbeat := colony("m", "k")
		heartbeat.Endpoints = []string{endpoint}
		registerColony(t, worker.Client(), heartbeat)
		// Nobody promises an order of two that are under way at once.
		harness.Eventually(t, patience, endpoint, func() bool {
			found, err := lookupColony(t, old.Client(), "m")
			return err == nil && found.Endpoints[0] == endpoint
		})
	}
}

func TestMigrationTheOldServerBeingDownFailsNothingThatWeKnow(t *testing.T) {
	t.Parallel()
	for _, awaited := range []string{"false", "true"} {
		t.Run("awaited "+awaited, func(t *testing.T) {
			t.Parallel()
			old, worker := migrating(t, "LEGACY_AWAITED="+awaited)
			old.Kill()
			c := worker.Client()
			registerColony(t, c, colony("m", "k"))
			registerColony(t, c, colony("m", "k"))
			registerAgent(t, c, agent("a", "m", "k"))
			if _, err := lookupColony(t, c, "m"); err != nil {
				t.Fatal(err)
			}
			if _, err := lookupAgent(t, c, "a", "m"); err != nil {
				t.Fatal(err)
			}
			health, err := c.Health(deadline(t), send(&discoveryv1.HealthRequest{}))
			if err != nil || health.Msg.Status != "ok" {
				t.Errorf("%v %v", health, err)
			}
			_, err = lookupColony(t, c, "unknown")
			wantNotFoundNow(t, err)
			// After some failures it is left in peace, and nobody waits for it.
			harness.Eventually(t, patience, "it is left in peace", func() bool {
				_, err := lookupColony(t, c, "unknown", "Cf-Ray", "peace")
				wantNotFoundNow(t, err)
				return worker.LastRequest("peace").Legacy == "skipped"
			})
			// And found again when it is back, with all that registers there.
			old.Start()
			registerColony(t, old.Client(), colony("left", "k"))
			harness.Eventually(t, patience, "it is asked again", func() bool {
				_, err := lookupColony(t, c, "left")
				return err == nil
			})
			registerColony(t, c, colony("m", "k"))
			harness.Eventually(t, patience, "the next heartbeat brings who has moved back to it", func() bool {
				_, err := lookupColony(t, old.Client(), "m")
				return err == nil
			})
		})
	}
}

func TestMigrationASlowOldServerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_TIMEOUT_MS=5000")
	registerColony(t, old.Client(), colony("left", "k"))
	// Longer than anybody waits below.
	old.Delay(120_000)
	// What the server is told, not what this client keeps: it would give up by itself.
	status, body := post(t, worker, "LookupColony", `{"meshId":"left"}`, "Connect-Timeout-Ms", "1500")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "old server does not answer") {
		t.Errorf("%d %s", status, body)
	}
	// Callers in a hurry say nothing of the server: others go on asking it.
	for range 4 {
		post(t, worker, "LookupColony", `{"meshId":"left"}`, "Connect-Timeout-Ms", "150", "Cf-Ray", "hurried")
	}
	if line := worker.LastRequest("hurried"); line.Legacy != "failed" {
		t.Errorf("%+v", line)
	}
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "nobody waits")
	if line := worker.Request("nobody waits"); line.Legacy != "" {
		t.Errorf("%+v", line)
	}
}

// post makes a call as curl does, with headers as name, value.
func post(t *testing.T, worker *harness.Worker, method, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(deadline(t), http.MethodPost, worker.URL+procedure(method), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

func TestMigrationAnAwaitedSlowOldServerFailsNoRegistration(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true", "LEGACY_TIMEOUT_MS=300")
	old.Delay(60_000)
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "slow")
	if line := worker.Request("slow"); line.Legacy != "failed" || line.Status != http.StatusOK {
		t.Errorf("%+v", line)
	}
}

func TestMigrationASplitBrainThereIsToldWhereItIsAwaited(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true")
	registerColony(t, old.Client(), colony("m", "theirs"))
	for name, headers := range map[string][]string{
		"plain": nil,
		// What anybody can send to have it otherwise.
		"as if passed on": {"Coral-Discovery-Forwarded", "1"},
	} {
		_, err := worker.Client().RegisterColony(deadline(t), send(colony("m", "other"), append(headers, "Cf-Ray", name)...))
		wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey", "server that this one replaces")
		if line := worker.Request(name); line.Legacy != "split_brain" || line.Level != "warn" || line.RowsWritten != 0 {
			t.Errorf("%+v", line)
		}
	}
	// Nobody gets it by being in a hurry.
	old.Delay(5_000)
	hurried := `{"meshId":"m","pubkey":"other","endpoints":["192.0.2.1:1"]}`
	for _, ms := range []string{"50", "150", "400"} {
		if status, body := post(t, worker, "RegisterColony", hurried, "Connect-Timeout-Ms", ms); status == http.StatusOK {
			t.Errorf("in %s ms: %s", ms, body)
		}
	}
	old.Delay(0)
	found, err := lookupColony(t, worker.Client(), "m")
	if err != nil || found.Pubkey != "theirs" {
		t.Errorf("%v %v", found, err)
	}
	// The owner can move.
	registerColony(t, worker.Client(), colony("m", "theirs"))
}

// The old server has one agent of an id, whatever its mesh: what is no split brain here fails no call.
func TestMigrationAgentsOfOneIdInTwoMeshesRegisterHere(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true", "AGENT_TAKEOVER=true")
	registerAgent(t, old.Client(), agent("a", "m1", "k1"))
	registerAgent(t, worker.Client(), agent("a", "m2", "k2"), "Cf-Ray", "second")
	if line := worker.Request("second"); line.Legacy != "split_brain" || line.Level != "warn" {
		t.Errorf("%+v", line)
	}
	found, err := lookupAgent(t, worker.Client(), "a", "m2")
	if err != nil || found.Pubkey != "k2" {
		t.Errorf("%v %v", found, err)
	}
	// And a takeover, which the old server refuses, is one here.
	registerAgent(t, worker.Client(), agent("a", "m2", "k3"))
	found, err = lookupAgent(t, worker.Client(), "a", "m2")
	if err != nil || found.Pubkey != "k3" {
		t.Errorf("%v %v", found, err)
	}
}

func TestMigrationASplitBrainThereEndsNoLeaseThatLivesHere(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true")
	registerColony(t, worker.Client(), colony("m", "ours"))
	old.Kill()
	old.Start()
	registerColony(t, old.Client(), colony("m", "squatter"))
	registerColony(t, worker.Client(), colony("m", "ours"), "Cf-Ray", "held here")
	if line := worker.Request("held here"); line.Legacy != "split_brain" || line.Level != "warn" {
		t.Errorf("%+v", line)
	}
	found, err := lookupColony(t, worker.Client(), "m")
	if err != nil || found.Pubkey != "ours" {
		t.Errorf("%v %v", found, err)
	}
}

func TestMigrationASplitBrainThereIsLoggedWhereItIsNotAwaited(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	registerColony(t, old.Client(), colony("m", "secret-of-theirs"))
	registerColony(t, worker.Client(), colony("m", "secret-of-others"))
	harness.Eventually(t, patience, "a line about it", func() bool {
		for _, forward := range worker.Forwards() {
			if forward.Method == "RegisterColony" && forward.Legacy == "split_brain" && forward.Level == "warn" {
				return true
			}
		}
		return false
	})
	if strings.Contains(worker.Log(), "secret-of") {
		t.Error("keys are in the log")
	}
	// Each server tells what it knows.
	here, err := lookupColony(t, worker.Client(), "m")
	if err != nil || here.Pubkey != "secret-of-others" {
		t.Errorf("%v %v", here, err)
	}
	there, err := lookupColony(t, old.Client(), "m")
	if err != nil || there.Pubkey != "secret-of-theirs" {
		t.Errorf("%v %v", there, err)
	}
}

func TestMigrationASplitBrainHereDoesNotReachTheOldServer(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_AWAITED=true")
	registerColony(t, worker.Client(), colony("m", "k"))
	old.Kill()
	old.Start()
	_, err := worker.Client().RegisterColony(deadline(t), send(colony("m", "other")))
	wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey")
	_, err = lookupColony(t, old.Client(), "m")
	wantError(t, err, connect.CodeNotFound)
}

func TestMigrationServersThatKnowEachOtherAskNoFurther(t *testing.T) {
	t.Parallel()
	one := harness.Start(t)
	other := harness.Start(t, "LEGACY_DISCOVERY_URL="+one.URL, "LEGACY_AWAITED=true")
	one.RestartWith("LEGACY_DISCOVERY_URL="+other.URL, "LEGACY_AWAITED=true")
	_, err := lookupColony(t, one.Client(), "unknown")
	wantError(t, err, connect.CodeNotFound)
	registerColony(t, one.Client(), colony("m", "k"))
	if found, err := lookupColony(t, other.Client(), "m", "Cf-Ray", "last"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	other.Request("last")
	for name, worker := range map[string]*harness.Worker{"one": one, "other": other} {
		for _, method := range []string{"LookupColony", "RegisterColony"} {
			calls := strings.Count(worker.Log(), `"rpc":"`+method+`"`)
			if want := map[string]int{
				// Its own, and the other's before that grants.
				"oneLookupColony": 2, "oneRegisterColony": 1,
				// On behalf of the first, before that grants, and its own.
				"otherLookupColony": 3, "otherRegisterColony": 1,
			}[name+method]; calls != want {
				t.Errorf("%s has had %d calls of %s, want %d", name, calls, method, want)
			}
		}
	}
}

func TestMigrationAServerThatKnowsItselfAsksOnce(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	worker.RestartWith("LEGACY_DISCOVERY_URL=" + worker.URL)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "self")
	wantError(t, err, connect.CodeNotFound)
	worker.Request("self")
	if calls := strings.Count(worker.Log(), `"rpc":"LookupColony"`); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// As the TypeScript worker does.
func TestMigrationFromAServerThatSpeaksJSONAlone(t *testing.T) {
	t.Parallel()
	old := harness.StartOldServer(t)
	target, err := url.Parse(old.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, `{"code":"invalid_argument","message":"Only JSON encoding is supported"}`, http.StatusBadRequest)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL, "LEGACY_CODEC=json", "LEGACY_AWAITED=true")
	registerColony(t, old.Client(), colony("left", "k"))
	if found, err := lookupColony(t, worker.Client(), "left"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	registerColony(t, worker.Client(), colony("moved", "k"))
	if found, err := lookupColony(t, old.Client(), "moved"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
}

func TestMigrationAnythingElseAtThatURLIsNoAnswer(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"nothing":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"broken off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a flood":    func(w http.ResponseWriter, _ *http.Request) { flood(w) },
		"no message": func(w http.ResponseWriter, _ *http.Request) { garbage(w) },
		"an empty message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/proto")
		},
		"a wall":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusForbidden) },
		"a bad error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL)
			_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "odd")
			wantNotFoundNow(t, err)
			if line := worker.Request("odd"); line.Legacy != "failed" || line.Level != "info" {
				t.Errorf("%+v", line)
			}
			if !strings.Contains(worker.Log(), "LEGACY_DISCOVERY_URL, does not answer") {
				t.Error("the log does not say so")
			}
			registerColony(t, worker.Client(), colony("m", "k"))
		})
	}
}

// flood answers with more than anybody should read.
func flood(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	chunk := make([]byte, 64*1024)
	for range 1024 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// garbage says that it answers, and does not.
func garbage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	_, _ = w.Write([]byte{0xff, 0xff, 0xff})
}

// Whether anybody still needs the old server is told by data points.
func TestOnCloudflareMigrationIsCounted(t *testing.T) {
	t.Parallel()
	old := harness.StartOldServer(t)
	worker := harness.StartPlatform(t, "LEGACY_DISCOVERY_URL="+old.URL)
	registerColony(t, old.Client(), colony("left", "k"))
	registerColony(t, worker.Client(), colony("moved", "k"))
	if _, err := lookupColony(t, worker.Client(), "left"); err != nil {
		t.Fatal(err)
	}
	type point struct {
		Indexes, Blobs []string
		Doubles        []float64
	}
	points := map[string]point{}
	harness.Eventually(t, patience, "points of both", func() bool {
		for _, line := range worker.Lines() {
			var written struct{ Point point }
			if json.Unmarshal([]byte(line), &written) == nil && len(written.Point.Blobs) == 9 {
				points[written.Point.Blobs[0]] = written.Point
			}
		}
		return len(points["ForwardRegisterColony"].Blobs) > 0 && len(points["LookupColony"].Blobs) > 0
	})
	if lookup := points["LookupColony"]; lookup.Blobs[3] != "legacy" || lookup.Blobs[8] != "done" {
		t.Errorf("%+v", lookup)
	}
	forward := points["ForwardRegisterColony"]
	if forward.Indexes[0] != "Forward" || forward.Blobs[6] == "" || len(forward.Blobs[7]) != 16 || forward.Blobs[8] != "done" || len(forward.Doubles) != 1 {
		t.Errorf("%+v", forward)
	}
}
