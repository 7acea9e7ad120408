package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// These tests make the calls of Coral's programs, with the timeouts, options and order of calls
// that the programs have in the field. Time is compressed: leases live for four seconds instead of
// five minutes, and pauses are shorter in proportion.
const (
	lifecycleTTL      = 4 * time.Second
	heartbeatInterval = lifecycleTTL / 5
	republishInterval = heartbeatInterval / 2
)

// forEachLifecycle runs a test with each codec of programs in the field.
func forEachLifecycle(
	t *testing.T, test func(t *testing.T, worker *harness.Worker, c client),
) {
	t.Helper()
	t.Parallel()
	key, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	for name, options := range map[string][]connect.ClientOption{
		"json": {connect.WithProtoJSON()}, "proto": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, "DEFAULT_TTL_SECONDS=4", "CLEANUP_INTERVAL_MS=500",
				"DISCOVERY_SIGNING_KEY="+key)
			// A program has one HTTP client, with a timeout.
			http := &http.Client{Timeout: 10 * time.Second}
			test(t, worker, discoveryv1connect.NewDiscoveryServiceClient(http, worker.URL, options...))
		})
	}
}

// withTimeout makes a call with a deadline.
func withTimeout[M any](timeout time.Duration, call func(context.Context) (M, error)) (M, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return call(ctx)
}

func checkHealth(c client, timeout time.Duration) error {
	_, err := withTimeout(timeout, func(ctx context.Context) (any, error) {
		return c.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
	})
	return err
}

// heartbeat makes the calls of a colony's heartbeat: Health, and a registration if that succeeds.
func heartbeat(c client, message *discoveryv1.RegisterColonyRequest) error {
	if err := checkHealth(c, 5*time.Second); err != nil {
		return err
	}
	type response = connect.Response[discoveryv1.RegisterColonyResponse]
	registered, err := withTimeout(10*time.Second, func(ctx context.Context) (*response, error) {
		return c.RegisterColony(ctx, connect.NewRequest(message))
	})
	if err == nil && !registered.Msg.GetSuccess() {
		return errors.New("no success")
	}
	return err
}

// pollLoop polls a mailbox until ctx ends. It returns the first error: a colony would pause after
// it, so there should be none.
func pollLoop(
	ctx context.Context, url, meshID string,
	delivered chan<- *discoveryv1.BootstrapRendezvousRecord,
) error {
	// The client of polls has no timeout but that of the call.
	c := discoveryv1connect.NewDiscoveryServiceClient(
		http.DefaultClient, url, connect.WithProtoJSON())
	message := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: 25}
	for {
		callCtx, cancel := context.WithTimeout(ctx, 35*time.Second)
		response, err := c.PollBootstrapRendezvous(callCtx, connect.NewRequest(message))
		cancel()
		if err != nil {
			return err
		}
		for _, record := range response.Msg.GetRecords() {
			select {
			case delivered <- record:
			default: // delivered before
			}
		}
		// A colony takes some time to handle a record.
		<-time.After(heartbeatInterval / 4)
	}
}

func TestColonyLifecycle(t *testing.T) {
	forEachLifecycle(t, func(t *testing.T, worker *harness.Worker, c client) {
		registration := fullColony("mesh")
		if err := heartbeat(c, registration); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		polls := make(chan error, 1)
		delivered := make(chan *discoveryv1.BootstrapRendezvousRecord, 10)
		go func() { polls <- pollLoop(ctx, worker.URL, "mesh", delivered) }()
		record := newRecord("mesh")
		recordID := ""
		ticker := time.NewTicker(heartbeatInterval)
		defer ticker.Stop()
		for beat := range 8 {
			<-ticker.C
			if err := heartbeat(c, registration); err != nil {
				t.Fatalf("heartbeat %d: %v", beat, err)
			}
			found, err := lookupColony(t, c, "mesh")
			if err != nil || found.GetPubkey() != registration.GetPubkey() {
				t.Fatalf("heartbeat %d: %v %v", beat, found, err)
			}
			switch beat {
			case 2:
				recordID = publishRecord(t, c, record)
			case 4:
				received := <-delivered
				if received.GetRecordId() != recordID ||
					!bytes.Equal(received.GetCiphertext(), record.GetCiphertext()) {
					t.Errorf("received %v", received)
				}
				verifyAgentsToken(t, worker, c)
				acknowledge(t, c, "mesh", recordID, record.GetWriteToken())
			}
		}
		stop()
		if err := <-polls; !errors.Is(err, context.Canceled) {
			t.Errorf("a poll failed: %v", err)
		}
	})
}

// verifyAgentsToken creates an agent's bootstrap token and verifies it as the colony does.
func verifyAgentsToken(t *testing.T, worker *harness.Worker, c client) {
	t.Helper()
	created, err := createToken(t, c, tokenRequest("agent", "mesh"))
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := fetchKeys(t, worker.URL)
	if _, err := bootstraptoken.Verify(created.GetJwt(), keys); err != nil {
		t.Error(err)
	}
}

// lookupWithRetries retries as a bootstrapping agent does: up to 30 times, only while the error
// says "not found".
func lookupWithRetries(t *testing.T, c client, meshID string) *discoveryv1.LookupColonyResponse {
	t.Helper()
	pause := 20 * time.Millisecond
	for range 30 {
		found, err := lookupColony(t, c, meshID)
		if err == nil {
			return found
		}
		if !strings.Contains(strings.ToLower(err.Error()), "not found") {
			t.Fatalf("an agent would not retry after: %v", err)
		}
		<-time.After(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
	t.Fatal("not found in 30 lookups")
	return nil
}

func TestBootstrappingAgentLifecycle(t *testing.T) {
	forEachLifecycle(t, func(t *testing.T, worker *harness.Worker, c client) {
		created, err := createToken(t, c, tokenRequest("agent", "mesh"))
		if err != nil || created.GetJwt() == "" || created.GetExpiresAt() < time.Now().Unix() {
			t.Fatalf("%v %v", created, err)
		}
		// The colony registers a little later than the agent starts.
		registered := make(chan error, 1)
		time.AfterFunc(200*time.Millisecond, func() {
			registered <- heartbeat(c, colony("mesh", "colony key"))
		})
		found := lookupWithRetries(t, c, "mesh")
		if err := <-registered; err != nil || len(found.GetEndpoints()) == 0 {
			t.Fatalf("%v %v", found, err)
		}
		// The agent cannot be reached directly. It publishes a rendezvous record, and replaces it
		// again and again with a new nonce.
		record := newRecord("mesh")
		record.RecordId = publishRecord(t, c, record)
		for range 4 {
			<-time.After(republishInterval)
			next := newRecord("mesh")
			record.Ciphertext, record.GcmNonce = next.GetCiphertext(), next.GetGcmNonce()
			if recordID := publishRecord(t, c, record); recordID != record.GetRecordId() {
				t.Errorf("record %s, want %s", recordID, record.GetRecordId())
			}
			records := pollNow(t, c, "mesh")
			if len(records) != 1 ||
				!bytes.Equal(records[0].GetCiphertext(), record.GetCiphertext()) {
				t.Errorf("%v", records)
			}
		}
		if !acknowledge(t, c, "mesh", record.GetRecordId(), record.GetWriteToken()) {
			t.Error("the record was not removed")
		}
		if replaced, err := publish(t, c, record); err != nil || replaced.GetSuccess() {
			t.Errorf("replaced a removed record: %v %v", replaced, err)
		}
	})
}

func TestAgentBehindNATLifecycle(t *testing.T) {
	forEachLifecycle(t, func(t *testing.T, worker *harness.Worker, c client) {
		observed := &discoveryv1.Endpoint{Ip: "203.0.114.20", Port: 41641, Protocol: "udp"}
		registered := registerAgent(t, c, &discoveryv1.RegisterAgentRequest{
			AgentId: "agent", MeshId: "mesh", Pubkey: "agent key", ObservedEndpoint: observed,
		})
		// The agent takes its own address from the response.
		wantEqual(t, registered.GetObservedEndpoint(), observed)
		found, err := lookupAgent(t, c, "agent", "mesh")
		if err != nil {
			t.Fatal(err)
		}
		if dialableAddress(found) != observed.GetIp() || found.GetPubkey() != "agent key" ||
			found.GetMeshId() != "mesh" {
			t.Errorf("%v", found)
		}
		// The agent registers only once. Its outdated endpoint is not found for long.
		harness.Eventually(t, testTimeout, "the lease expires", func() bool {
			_, err := lookupAgent(t, c, "agent", "mesh")
			return err != nil && strings.Contains(err.Error(), "not found")
		})
	})
}

// dialableAddress returns the address that a colony dials: the first endpoint with a port and an
// IPv4 address of another machine.
func dialableAddress(agent *discoveryv1.LookupAgentResponse) string {
	for _, endpoint := range agent.GetObservedEndpoints() {
		ip := net.ParseIP(endpoint.GetIp())
		if ip.To4() != nil && !ip.IsLoopback() && endpoint.GetPort() != 0 {
			return ip.String()
		}
	}
	return ""
}

func TestCLIAddsARemoteColony(t *testing.T) {
	forEachLifecycle(t, func(t *testing.T, worker *harness.Worker, c client) {
		certificate := newCACertificate(t)
		digest := sha256.Sum256(certificate)
		registration := colony("mesh", "colony key")
		registration.PublicPort = 8443
		registration.PublicEndpoint = &discoveryv1.PublicEndpointInfo{
			Enabled: true, Url: "https://colony.example:8443",
			CaCert: base64.StdEncoding.EncodeToString(certificate),
			CaFingerprint: &discoveryv1.CertificateFingerprint{
				Algorithm: discoveryv1.FingerprintAlgorithm_FINGERPRINT_ALGORITHM_SHA256,
				Value:     digest[:],
			},
		}
		if err := heartbeat(c, registration); err != nil {
			t.Fatal(err)
		}
		// `coral status` only checks that the service responds.
		if err := checkHealth(c, 2*time.Second); err != nil {
			t.Error(err)
		}
		found, err := lookupColony(t, c, "mesh")
		if err != nil || !found.GetPublicEndpoint().GetEnabled() {
			t.Fatalf("%v %v", found, err)
		}
		fetched, err := base64.StdEncoding.DecodeString(found.GetPublicEndpoint().GetCaCert())
		if err != nil || !bytes.Equal(fetched, certificate) {
			t.Errorf("%q %v", fetched, err)
		}
		fetchedDigest := sha256.Sum256(fetched)
		fingerprint := found.GetPublicEndpoint().GetCaFingerprint().GetValue()
		if !bytes.Equal(fetchedDigest[:], fingerprint) {
			t.Error("the fingerprint is not the certificate's")
		}
	})
}

// newCACertificate returns a new certificate of an authority, as PEM.
func newCACertificate(t *testing.T) []byte {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a colony's root"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
