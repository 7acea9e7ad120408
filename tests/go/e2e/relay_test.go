package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

const relays = `CORAL_RELAYS=[{"id":"r1","endpoint":"relay.example.org:3478","region":"eu"}]`

func relayRequest() *discoveryv1.RequestRelayRequest {
	return &discoveryv1.RequestRelayRequest{MeshId: "m", AgentPubkey: "a", ColonyPubkey: "c"}
}

func TestWithoutRelaysRelayCallsAreUnimplemented(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		_, err := c.RequestRelay(testContext(t), newRequest(relayRequest()))
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
		relay := &discoveryv1.Endpoint{
			Ip: "relay.example.org", Port: 3478, Protocol: "udp", ViaRelay: true,
		}
		response, err := c.RequestRelay(testContext(t), newRequest(relayRequest()))
		if err != nil {
			t.Fatal(err)
		}
		session := response.Msg
		wantEqual(t, session.GetRelayEndpoint(), relay)
		if session.GetRelayId() != "r1" || !strings.HasPrefix(session.GetSessionId(), "relay-") {
			t.Errorf("session %v", session)
		}
		remaining := time.Until(session.GetExpiresAt().AsTime())
		if remaining < 30*time.Minute-testTimeout || remaining > 30*time.Minute+time.Second {
			t.Errorf("the session of 30 minutes expires in %v", remaining)
		}
		another, err := c.RequestRelay(testContext(t), newRequest(relayRequest()))
		if err != nil || another.Msg.GetSessionId() == session.GetSessionId() {
			t.Errorf("another session: %v, %v", another, err)
		}
		release := &discoveryv1.ReleaseRelayRequest{SessionId: session.GetSessionId()}
		released, err := c.ReleaseRelay(testContext(t), newRequest(release))
		if err != nil || !released.Msg.GetSuccess() {
			t.Fatalf("released: %v, %v", released, err)
		}
		_, err = c.ReleaseRelay(testContext(t), newRequest(release))
		wantError(t, err, connect.CodeNotFound,
			"relay session not found: "+session.GetSessionId())
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

func TestRelayValidation(t *testing.T) {
	t.Parallel()
	for _, vars := range []string{"CORAL_RELAYS=[]", relays} {
		t.Run(vars, func(t *testing.T) {
			c := harness.Start(t, vars).Client()
			for _, test := range []struct {
				field  string
				change func(*discoveryv1.RequestRelayRequest)
			}{
				{"mesh_id", func(r *discoveryv1.RequestRelayRequest) { r.Reset() }},
				{"agent_pubkey", func(r *discoveryv1.RequestRelayRequest) { r.AgentPubkey = "" }},
				{"colony_pubkey", func(r *discoveryv1.RequestRelayRequest) { r.ColonyPubkey = "" }},
			} {
				message := relayRequest()
				test.change(message)
				_, err := c.RequestRelay(testContext(t), newRequest(message))
				wantError(t, err, connect.CodeInvalidArgument, test.field+" is required")
			}
			release := &discoveryv1.ReleaseRelayRequest{}
			_, err := c.ReleaseRelay(testContext(t), newRequest(release))
			wantError(t, err, connect.CodeInvalidArgument, "session_id is required")
			release.SessionId = "relay-1"
			_, err = c.ReleaseRelay(testContext(t), newRequest(release))
			wantError(t, err, connect.CodeNotFound, "relay session not found: relay-1")
		})
	}
}

// Relays near the caller come first. Otherwise a mesh gets the same relay each time, by weight.
func TestRelaysNearTheCallerComeFirst(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, `CORAL_RELAYS=[
		{"id":"far","endpoint":"far.example.org:3478","region":"apac","weight":1000000},
		{"id":"near","endpoint":"near.example.org:3478","region":"weur","near":["DE","FRA"]}]`)
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	for _, test := range []struct {
		country, ray string
		want         []string
	}{
		{"DE", "1-AMS", []string{"near", "far"}},
		{"AT", "2-FRA", []string{"near", "far"}},
		{"JP", "3-NRT", []string{"far", "near"}},
		{"", "", []string{"far", "near"}},
	} {
		headers := []string{"Cf-Ipcountry", test.country, "Cf-Ray", test.ray}
		found, err := lookupColony(t, c, "m", headers...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, relay := range found.GetRelays() {
			got = append(got, relay.GetRelayId())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v: relays %v", test, got)
		}
		request := newRequest(relayRequest(), headers...)
		granted, err := c.RequestRelay(testContext(t), request)
		if err != nil || granted.Msg.GetRelayId() != test.want[0] {
			t.Errorf("%+v: granted %v, %v", test, granted, err)
		}
	}
}
