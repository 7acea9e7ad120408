package e2e

import (
	"testing"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestObservedEndpoint(t *testing.T) {
	t.Parallel()
	c := harness.Start(t).Client()
	udp := func(ip string, port uint32) *discoveryv1.Endpoint {
		return &discoveryv1.Endpoint{Ip: ip, Port: port, Protocol: "udp"}
	}
	for _, observation := range []struct {
		name    string
		claimed *discoveryv1.Endpoint
		headers []string
		want    *discoveryv1.Endpoint
	}{
		{"nothing is known", nil, nil, nil},
		{"the client's own", udp("9.9.9.9", 41641), []string{"CF-Connecting-IP", "8.8.8.8"}, udp("9.9.9.9", 41641)},
		{"the platform's", nil, []string{"CF-Connecting-IP", "8.8.8.8"}, udp("8.8.8.8", 0)},
		{"the platform's with the client's port", udp("192.168.1.2", 41641), []string{"CF-Connecting-IP", "8.8.8.8"}, udp("8.8.8.8", 41641)},
		{"the platform's before a proxy's", nil, []string{"CF-Connecting-IP", "8.8.8.8", "X-Forwarded-For", "1.1.1.1"}, udp("8.8.8.8", 0)},
		{"a private one of the platform does not fall back to a proxy's", nil, []string{"CF-Connecting-IP", "10.0.0.1", "X-Forwarded-For", "1.1.1.1"}, nil},
		{"a proxy's first hop", nil, []string{"X-Forwarded-For", "1.1.1.1, 8.8.8.8"}, udp("1.1.1.1", 0)},
		{"carrier NAT", nil, []string{"CF-Connecting-IP", "100.64.0.1"}, nil},
		{"documentation", nil, []string{"CF-Connecting-IP", "203.0.113.9"}, nil},
		{"multicast", nil, []string{"CF-Connecting-IP", "224.0.0.1"}, nil},
		{"IPv6", nil, []string{"CF-Connecting-IP", "2606:4700::1111"}, nil},
		{"IPv4 in IPv6", udp("::ffff:9.9.9.9", 1), nil, nil},
		{"no address", udp("example.org", 1), []string{"X-Forwarded-For", "unknown"}, nil},
	} {
		t.Run(observation.name, func(t *testing.T) {
			request := colony(t.Name(), "k")
			request.ObservedEndpoint = observation.claimed
			registered := registerColony(t, c, request, observation.headers...)
			wantEqual(t, registered.GetObservedEndpoint(), observation.want)
			found, err := lookupColony(t, c, request.GetMeshId())
			if err != nil {
				t.Fatal(err)
			}
			if observation.want == nil {
				if len(found.GetObservedEndpoints()) != 0 || found.GetNat() != discoveryv1.NatHint_NAT_UNKNOWN {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found.GetObservedEndpoints()) != 1 || found.GetNat() != discoveryv1.NatHint_NAT_CONE {
				t.Fatalf("found %v", found)
			}
			wantEqual(t, found.GetObservedEndpoints()[0], observation.want)
		})
	}
}
