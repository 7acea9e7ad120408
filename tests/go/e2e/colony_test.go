package e2e

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// fullColony returns a registration with every field set.
func fullColony(meshID string) *discoveryv1.RegisterColonyRequest {
	return &discoveryv1.RegisterColonyRequest{
		MeshId:      meshID,
		Pubkey:      "mTgVx3m5zJ2m6fU0GZ6mT3lqvJjxJ0l1nY0QmC0yQWY=",
		Endpoints:   []string{"203.0.113.7:51820", "[2001:db8::1]:51820", "colony.example.org:51820"},
		MeshIpv4:    "10.42.0.1",
		MeshIpv6:    "fd42::1",
		ConnectPort: 9000,
		PublicPort:  8443,
		Metadata:    map[string]string{"wireguard_port": "51820", "name": "çolony ☺", "empty": ""},
		ObservedEndpoint: &discoveryv1.Endpoint{
			Ip: "9.9.9.9", Port: 41641, Protocol: "udp",
		},
		PublicEndpoint: &discoveryv1.PublicEndpointInfo{
			Enabled: true,
			Url:     "https://colony.example.org:8443",
			CaCert:  strings.Repeat("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", 100),
			CaFingerprint: &discoveryv1.CertificateFingerprint{
				Algorithm: discoveryv1.FingerprintAlgorithm_FINGERPRINT_ALGORITHM_SHA256,
				Value:     bytes.Repeat([]byte{0, 255, 62, 63}, 8),
			},
			UpdatedAt: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)),
		},
	}
}

func TestColonyLookupReturnsTheRegistration(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		message := fullColony(t.Name())
		before := time.Now().Add(-time.Second)
		registered := registerColony(t, c, message)
		if !registered.GetSuccess() || registered.GetTtl() != 300 {
			t.Errorf("registered: %v", registered)
		}
		lifetime := registered.GetExpiresAt().AsTime().Sub(before)
		if lifetime < 300*time.Second || lifetime > 300*time.Second+testTimeout {
			t.Errorf("the lease of 300 s expires after %v", lifetime)
		}
		if got := registered.GetStunServers(); len(got) != 1 || got[0] != "stun.cloudflare.com:3478" {
			t.Errorf("STUN servers: %v", got)
		}
		wantEqual(t, registered.GetObservedEndpoint(), message.GetObservedEndpoint())

		found, err := lookupColony(t, c, message.GetMeshId())
		if err != nil {
			t.Fatal(err)
		}
		lastSeen := found.GetLastSeen().AsTime()
		if lastSeen.Before(before) || lastSeen.After(time.Now().Add(time.Second)) {
			t.Errorf("last seen %v", lastSeen)
		}
		wantEqual(t, found, &discoveryv1.LookupColonyResponse{
			MeshId:            message.GetMeshId(),
			Pubkey:            message.GetPubkey(),
			Endpoints:         message.GetEndpoints(),
			MeshIpv4:          message.GetMeshIpv4(),
			MeshIpv6:          message.GetMeshIpv6(),
			ConnectPort:       message.GetConnectPort(),
			Metadata:          message.GetMetadata(),
			LastSeen:          found.GetLastSeen(),
			ObservedEndpoints: []*discoveryv1.Endpoint{message.GetObservedEndpoint()},
			Nat:               discoveryv1.NatHint_NAT_CONE,
			PublicPort:        message.GetPublicPort(),
			PublicEndpoint:    message.GetPublicEndpoint(),
		})
	})
}

func TestRenewalReplacesTheWholeRecord(t *testing.T) {
	t.Parallel()
	c := harness.Start(t).Client()
	first := fullColony("m")
	registerColony(t, c, first)
	registerColony(t, c, colony("m", first.GetPubkey()))
	found, err := lookupColony(t, c, "m")
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, found, &discoveryv1.LookupColonyResponse{
		MeshId:    "m",
		Pubkey:    first.GetPubkey(),
		Endpoints: []string{"203.0.113.7:51820"},
		LastSeen:  found.GetLastSeen(),
	})
}

func TestLiveLeaseRejectsAnotherKey(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		id := t.Name()
		registerColony(t, c, colony(id, "first"))
		_, err := c.RegisterColony(testContext(t), newRequest(colony(id, "second")))
		wantError(t, err, connect.CodeAlreadyExists, id,
			"already registered with different public key",
			"already registered with different pubkey", "split brain")
		if strings.Contains(err.Error(), "first") {
			t.Errorf("the error contains the owner's key: %v", err)
		}
		registerColony(t, c, colony(id, "first"))
	})
}

func TestRegisterColonyValidation(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	long := strings.Repeat("x", 40_000)
	type request = discoveryv1.RegisterColonyRequest
	for _, test := range []struct {
		name   string
		change func(*request)
		text   string
	}{
		{"empty message", func(r *request) { r.Reset() }, "mesh_id is required"},
		{"no mesh id", func(r *request) { r.MeshId = "" }, "mesh_id is required"},
		{"no key", func(r *request) { r.Pubkey = "" }, "pubkey is required"},
		{"no endpoint", func(r *request) { r.Endpoints = nil }, "at least one endpoint is required"},
		{"only an observed endpoint", func(r *request) {
			r.Endpoints = nil
			r.ObservedEndpoint = &discoveryv1.Endpoint{Ip: "9.9.9.9", Port: 1}
		}, "at least one endpoint is required"},
		{"long mesh id", func(r *request) { r.MeshId = long[:256] },
			"mesh_id must have at most 255 bytes, not 256"},
		{"control character", func(r *request) { r.MeshId = "a\nb" },
			"mesh_id must not contain control characters"},
		{"long key", func(r *request) { r.Pubkey = long[:1025] },
			"pubkey must have at most 1024 bytes"},
		{"many endpoints", func(r *request) { r.Endpoints = slices.Repeat(r.Endpoints, 33) },
			"endpoints must have at most 32 entries, not 33"},
		{"empty endpoint", func(r *request) { r.Endpoints = append(r.Endpoints, "") },
			"endpoints[1] is required"},
		{"long endpoint", func(r *request) { r.Endpoints[0] = long[:260] },
			"endpoints[0] must have at most 259 bytes"},
		{"long IPv4 address", func(r *request) { r.MeshIpv4 = long[:65] },
			"mesh_ipv4 must have at most 64 bytes"},
		{"long IPv6 address", func(r *request) { r.MeshIpv6 = long[:65] },
			"mesh_ipv6 must have at most 64 bytes"},
		{"port", func(r *request) { r.ConnectPort = 65536 },
			"connect_port must be at most 65535, not 65536"},
		{"public port", func(r *request) { r.PublicPort = 65536 },
			"public_port must be at most 65535"},
		{"long metadata key", func(r *request) { r.Metadata = map[string]string{long[:129]: ""} },
			"metadata key must have at most 128 bytes"},
		{"long metadata", func(r *request) { r.Metadata = map[string]string{"k": long[:1025]} },
			`metadata["k"] must have at most 1024 bytes`},
		{"observed port", func(r *request) {
			r.ObservedEndpoint = &discoveryv1.Endpoint{Ip: "9.9.9.9", Port: 70000}
		}, "observed_endpoint.port must be at most 65535"},
		{"long url", func(r *request) {
			r.PublicEndpoint = &discoveryv1.PublicEndpointInfo{Url: long[:2049]}
		}, "public_endpoint.url must have at most 2048 bytes"},
		{"long certificate", func(r *request) {
			r.PublicEndpoint = &discoveryv1.PublicEndpointInfo{CaCert: long}
		}, "public_endpoint.ca_cert must have at most 32768 bytes"},
		{"timestamp beyond year 9999", func(r *request) {
			updated := &timestamppb.Timestamp{Seconds: 253402300800}
			r.PublicEndpoint = &discoveryv1.PublicEndpointInfo{UpdatedAt: updated}
		}, "public_endpoint.updated_at must be from year 1 to 9999"},
		{"long fingerprint", func(r *request) {
			fingerprint := &discoveryv1.CertificateFingerprint{Value: make([]byte, 65)}
			r.PublicEndpoint = &discoveryv1.PublicEndpointInfo{CaFingerprint: fingerprint}
		}, "public_endpoint.ca_fingerprint.value must have at most 64 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := colony("invalid", "k")
			test.change(message)
			_, err := worker.Client().RegisterColony(testContext(t), newRequest(message))
			wantError(t, err, connect.CodeInvalidArgument, test.text)
		})
	}
	_, err := lookupColony(t, worker.Client(), "invalid")
	wantError(t, err, connect.CodeNotFound)
	// The lookup alone creates a database, beside that of the namespace.
	if files := worker.Databases(); len(files) > 2 {
		t.Errorf("invalid registrations reached the registry: %v", files)
	}
}

func TestLookupColonyErrors(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		_, err := lookupColony(t, c, "")
		wantError(t, err, connect.CodeInvalidArgument, "mesh_id is required")
		_, err = lookupColony(t, c, strings.Repeat("x", 256))
		wantError(t, err, connect.CodeInvalidArgument, "mesh_id must have at most 255 bytes")
		_, err = lookupColony(t, c, "unknown")
		wantError(t, err, connect.CodeNotFound, "colony not found: unknown")
	})
}
