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
	for _, test := range []struct {
		name    string
		claimed *discoveryv1.Endpoint
		headers []string
		want    *discoveryv1.Endpoint
	}{
		{"no address", nil, nil, nil},
		{"client's public address", udp("9.9.9.9", 41641),
			[]string{"CF-Connecting-IP", "8.8.8.8"}, udp("9.9.9.9", 41641)},
		{"Cloudflare's address", nil,
			[]string{"CF-Connecting-IP", "8.8.8.8"}, udp("8.8.8.8", 0)},
		{"Cloudflare's address with the client's port", udp("192.168.1.2", 41641),
			[]string{"CF-Connecting-IP", "8.8.8.8"}, udp("8.8.8.8", 41641)},
		{"Cloudflare's address before a proxy's", nil,
			[]string{"CF-Connecting-IP", "8.8.8.8", "X-Forwarded-For", "1.1.1.1"}, udp("8.8.8.8", 0)},
		{"Cloudflare's private address without fallback to a proxy's", nil,
			[]string{"CF-Connecting-IP", "10.0.0.1", "X-Forwarded-For", "1.1.1.1"}, nil},
		{"proxy's first hop", nil,
			[]string{"X-Forwarded-For", "1.1.1.1, 8.8.8.8"}, udp("1.1.1.1", 0)},
		{"carrier-grade NAT", nil, []string{"CF-Connecting-IP", "100.64.0.1"}, nil},
		{"documentation network", nil, []string{"CF-Connecting-IP", "203.0.113.9"}, nil},
		{"multicast", nil, []string{"CF-Connecting-IP", "224.0.0.1"}, nil},
		{"IPv6", nil, []string{"CF-Connecting-IP", "2606:4700::1111"}, nil},
		{"IPv4 in IPv6", udp("::ffff:9.9.9.9", 1), nil, nil},
		{"host name", udp("example.org", 1), []string{"X-Forwarded-For", "unknown"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := colony(t.Name(), "k")
			message.ObservedEndpoint = test.claimed
			registered := registerColony(t, c, message, test.headers...)
			wantEqual(t, registered.GetObservedEndpoint(), test.want)
			found, err := lookupColony(t, c, message.GetMeshId())
			if err != nil {
				t.Fatal(err)
			}
			if test.want == nil {
				if len(found.GetObservedEndpoints()) != 0 ||
					found.GetNat() != discoveryv1.NatHint_NAT_UNKNOWN {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found.GetObservedEndpoints()) != 1 ||
				found.GetNat() != discoveryv1.NatHint_NAT_CONE {
				t.Fatalf("found %v", found)
			}
			wantEqual(t, found.GetObservedEndpoints()[0], test.want)
		})
	}
}
