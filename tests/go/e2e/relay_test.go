package e2e

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

const relays = `CORAL_RELAYS=[{"id":"r1","endpoint":"relay.example.org:3478","region":"eu"}]`

func requestRelay() *discoveryv1.RequestRelayRequest {
	return &discoveryv1.RequestRelayRequest{MeshId: "m", AgentPubkey: "a", ColonyPubkey: "c"}
}

func TestWithoutRelaysTheyAreUnimplemented(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		_, err := c.RequestRelay(deadline(t), send(requestRelay()))
		wantError(t, err, connect.CodeUnimplemented, "unimplemented")
		registerColony(t, c, colony("m", "k"))
		found, err := lookupColony(t, c, "m")
		if err != nil || len(found.GetRelays()) != 0 {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

func TestRelaySessionIsReleasedOnce(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, relays)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		relay := &discoveryv1.Endpoint{Ip: "relay.example.org", Port: 3478, Protocol: "udp", ViaRelay: true}
		granted, err := c.RequestRelay(deadline(t), send(requestRelay()))
		if err != nil {
			t.Fatal(err)
		}
		session := granted.Msg
		wantEqual(t, session.GetRelayEndpoint(), relay)
		if session.GetRelayId() != "r1" || !strings.HasPrefix(session.GetSessionId(), "relay-") {
			t.Errorf("session %v", session)
		}
		if left := time.Until(session.GetExpiresAt().AsTime()); left < 30*time.Minute-patience || left > 30*time.Minute+time.Second {
			t.Errorf("the session of 30 minutes ends in %v", left)
		}
		another, err := c.RequestRelay(deadline(t), send(requestRelay()))
		if err != nil || another.Msg.GetSessionId() == session.GetSessionId() {
			t.Errorf("another session: %v, %v", another, err)
		}
		release := &discoveryv1.ReleaseRelayRequest{SessionId: session.GetSessionId()}
		released, err := c.ReleaseRelay(deadline(t), send(release))
		if err != nil || !released.Msg.GetSuccess() {
			t.Fatalf("released: %v, %v", released, err)
		}
		_, err = c.ReleaseRelay(deadline(t), send(release))
		wantError(t, err, connect.CodeNotFound, "relay session not found: "+session.GetSessionId())
	})
	registerColony(t, worker.Client(), colony("m", "k"))
	found, err := lookupColony(t, worker.Client(), "m")
	if err != nil || len(found.GetRelays()) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	if option := found.GetRelays()[0]; option.GetRelayId() != "r1" || option.GetRegion() != "eu" {
		t.Errorf("option %v", option)
	}
}

func TestRelayRefusals(t *testing.T) {
	t.Parallel()
	for _, vars := range []string{"CORAL_RELAYS=[]", relays} {
		t.Run(vars, func(t *testing.T) {
			c := harness.Start(t, vars).Client()
			for _, refusal := range []struct {
				field  string
				change func(*discoveryv1.RequestRelayRequest)
			}{
				{"mesh_id", func(r *discoveryv1.RequestRelayRequest) { r.Reset() }},
				{"agent_pubkey", func(r *discoveryv1.RequestRelayRequest) { r.AgentPubkey = "" }},
				{"colony_pubkey", func(r *discoveryv1.RequestRelayRequest) { r.ColonyPubkey = "" }},
			} {
				request := requestRelay()
				refusal.change(request)
				_, err := c.RequestRelay(deadline(t), send(request))
				wantError(t, err, connect.CodeInvalidArgument, refusal.field+" is required")
			}
			_, err := c.ReleaseRelay(deadline(t), send(&discoveryv1.ReleaseRelayRequest{}))
			wantError(t, err, connect.CodeInvalidArgument, "session_id is required")
			_, err = c.ReleaseRelay(deadline(t), send(&discoveryv1.ReleaseRelayRequest{SessionId: "relay-1"}))
			wantError(t, err, connect.CodeNotFound, "relay session not found: relay-1")
		})
	}
}

// A relay near the caller comes first; the same mesh gets the same one, elsewhere by weight.
func TestRelaysNearTheCallerComeFirst(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, `CORAL_RELAYS=[
		{"id":"far","endpoint":"far.example.org:3478","region":"apac","weight":1000000},
		{"id":"near","endpoint":"near.example.org:3478","region":"weur","near":["DE","FRA"]}]`)
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	for _, caller := range []struct {
		country, ray string
		want         [2]string
	}{
		{"DE", "1-AMS", [2]string{"near", "far"}},
		{"AT", "2-FRA", [2]string{"near", "far"}},
		{"JP", "3-NRT", [2]string{"far", "near"}},
		{"", "", [2]string{"far", "near"}},
	} {
		headers := []string{"Cf-Ipcountry", caller.country, "Cf-Ray", caller.ray}
		found, err := lookupColony(t, c, "m", headers...)
		if err != nil {
			t.Fatal(err)
		}
		var got [2]string
		for i, relay := range found.GetRelays() {
			got[i] = relay.GetRelayId()
		}
		if got != caller.want {
			t.Errorf("%+v: relays %v", caller, got)
		}
		granted, err := c.RequestRelay(deadline(t), send(requestRelay(), headers...))
		if err != nil || granted.Msg.GetRelayId() != caller.want[0] {
			t.Errorf("%+v: granted %v, %v", caller, granted, err)
		}
	}
}
