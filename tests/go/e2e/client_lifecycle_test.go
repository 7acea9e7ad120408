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

// What Coral's programs do all day, with the timeouts, options and orders of calls that they have in the field. A day is
// compressed: leases of four seconds in place of five minutes, and pauses in proportion.
const (
	dayTTL    = 4 * time.Second
	heartbeat = dayTTL / 5
	republish = heartbeat / 2
)

// forEachDay runs a day with each codec that programs in the field speak.
func forEachDay(t *testing.T, day func(t *testing.T, worker *harness.Worker, c client)) {
	t.Helper()
	t.Parallel()
	key, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	for name, options := range map[string][]connect.ClientOption{"json": {connect.WithProtoJSON()}, "proto": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, "DEFAULT_TTL_SECONDS=4", "CLEANUP_INTERVAL_MS=500", "DISCOVERY_SIGNING_KEY="+key)
			// The one client of a program, with its timeout.
			http := &http.Client{Timeout: 10 * time.Second}
			day(t, worker, discoveryv1connect.NewDiscoveryServiceClient(http, worker.URL, options...))
		})
	}
}

// within runs a call with a deadline of its own.
func within[M any](timeout time.Duration, call func(context.Context) (M, error)) (M, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return call(ctx)
}

// register is what a colony does each minute: Health first, and no registration if that fails.
func register(c client, request *discoveryv1.RegisterColonyRequest) error {
	if _, err := within(5*time.Second, func(ctx context.Context) (any, error) {
		return c.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
	}); err != nil {
		return err
	}
	answer, err := within(10*time.Second, func(ctx context.Context) (*connect.Response[discoveryv1.RegisterColonyResponse], error) {
		return c.RegisterColony(ctx, connect.NewRequest(request))
	})
	if err == nil && !answer.Msg.GetSuccess() {
		return errors.New("no success")
	}
	return err
}

func TestDayOfAColony(t *testing.T) {
	forEachDay(t, func(t *testing.T, worker *harness.Worker, c client) {
		own := everything("mesh")
		if err := register(c, own); err != nil {
			t.Fatal(err)
		}
		// It polls all day, with a client that has no timeout but the call's, and sleeps two seconds after an error: there is none.
		day, over := context.WithCancel(context.Background())
		polls := make(chan error, 1)
		messages := make(chan *discoveryv1.BootstrapRendezvousRecord, 10)
		go func() {
			patient := discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, worker.URL, connect.WithProtoJSON())
			for {
				ctx, cancel := context.WithTimeout(day, 35*time.Second)
				answer, err := patient.PollBootstrapRendezvous(ctx, connect.NewRequest(
					&discoveryv1.PollBootstrapRendezvousRequest{MeshId: "mesh", WaitSeconds: 25}))
				cancel()
				if err != nil {
					polls <- err
					return
				}
				for _, record := range answer.Msg.GetRecords() {
					select {
					case messages <- record:
					default: // it has this one already
					}
				}
				// What it does with a message takes it a while.
				<-time.After(heartbeat / 4)
			}
		}()
		sent := message("mesh")
		recordID := ""
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for beat := range 8 {
			<-ticker.C
			if err := register(c, own); err != nil {
				t.Fatalf("heartbeat %d: %v", beat, err)
			}
			found, err := lookupColony(t, c, "mesh")
			if err != nil || found.GetPubkey() != own.GetPubkey() {
				t.Fatalf("heartbeat %d: %v %v", beat, found, err)
			}
			switch beat {
			case 2:
				recordID = left(t, c, sent)
			case 4:
				if received := <-messages; received.GetRecordId() != recordID || !bytes.Equal(received.GetCiphertext(), sent.GetCiphertext()) {
					t.Errorf("received %v", received)
				}
				// An agent that it let in before shows its ticket, and the colony fetches the keys.
				agents, err := ticket(t, c, askForTicket("agent", "mesh"))
				if err != nil {
					t.Fatal(err)
				}
				keys, _ := keySet(t, worker)
				if _, err := bootstraptoken.Check(agents.GetJwt(), keys); err != nil {
					t.Error(err)
				}
				ack(t, c, "mesh", recordID, sent.GetWriteToken())
			}
		}
		over()
		if err := <-polls; !errors.Is(err, context.Canceled) {
			t.Errorf("a poll failed: %v", err)
		}
	})
}

// lookup retries as an agent does that bootstraps: up to 30 times, only while the text says so.
func lookup(t *testing.T, c client, meshID string) *discoveryv1.LookupColonyResponse {
	t.Helper()
	pause := 20 * time.Millisecond
	for range 30 {
		found, err := lookupColony(t, c, meshID)
		if err == nil {
			return found
		}
		if !strings.Contains(strings.ToLower(err.Error()), "not found") {
			t.Fatalf("it gives up: %v", err)
		}
		<-time.After(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
	t.Fatal("not found in 30 tries")
	return nil
}

func TestDayOfAnAgentThatBootstraps(t *testing.T) {
	forEachDay(t, func(t *testing.T, worker *harness.Worker, c client) {
		got, err := ticket(t, c, askForTicket("agent", "mesh"))
		if err != nil || got.GetJwt() == "" || got.GetExpiresAt() < time.Now().Unix() {
			t.Fatalf("%v %v", got, err)
		}
		// Its colony comes up a little later than it does.
		arrived := make(chan error, 1)
		time.AfterFunc(200*time.Millisecond, func() { arrived <- register(c, colony("mesh", "colony key")) })
		found := lookup(t, c, "mesh")
		if err := <-arrived; err != nil || len(found.GetEndpoints()) == 0 {
			t.Fatalf("%v %v", found, err)
		}
		// It cannot be reached directly: it leaves a message, and again with another nonce.
		sent := message("mesh")
		sent.RecordId = left(t, c, sent)
		for range 4 {
			<-time.After(republish)
			again := message("mesh")
			sent.Ciphertext, sent.GcmNonce = again.GetCiphertext(), again.GetGcmNonce()
			if recordID := left(t, c, sent); recordID != sent.GetRecordId() {
				t.Errorf("%s in place of %s", recordID, sent.GetRecordId())
			}
			if records := there(t, c, "mesh"); len(records) != 1 || !bytes.Equal(records[0].GetCiphertext(), sent.GetCiphertext()) {
				t.Errorf("%v", records)
			}
		}
		if !ack(t, c, "mesh", sent.GetRecordId(), sent.GetWriteToken()) {
			t.Error("its message is still there")
		}
		if gone, err := publish(t, c, sent); err != nil || gone.GetSuccess() {
			t.Errorf("replaced what was removed: %v %v", gone, err)
		}
	})
}

func TestDayOfAnAgentBehindNat(t *testing.T) {
	forEachDay(t, func(t *testing.T, worker *harness.Worker, c client) {
		seen := &discoveryv1.Endpoint{Ip: "203.0.114.20", Port: 41641, Protocol: "udp"}
		registered := registerAgent(t, c, &discoveryv1.RegisterAgentRequest{
			AgentId: "agent", MeshId: "mesh", Pubkey: "agent key", ObservedEndpoint: seen,
		})
		// It derives its own address from the answer.
		wantEqual(t, registered.GetObservedEndpoint(), seen)
		found, err := lookupAgent(t, c, "agent", "mesh")
		if err != nil {
			t.Fatal(err)
		}
		// The colony takes the first that has an address and a port, and is IPv4 and not its own machine.
		usable := ""
		for _, endpoint := range found.GetObservedEndpoints() {
			ip := net.ParseIP(endpoint.GetIp())
			if ip.To4() != nil && !ip.IsLoopback() && endpoint.GetPort() != 0 {
				usable = ip.String()
				break
			}
		}
		if usable != seen.GetIp() || found.GetPubkey() != "agent key" || found.GetMeshId() != "mesh" {
			t.Errorf("%v", found)
		}
		// It registers once and never again: nobody finds it by what is long out of date.
		harness.Eventually(t, patience, "it lapses", func() bool {
			_, err := lookupAgent(t, c, "agent", "mesh")
			return err != nil && strings.Contains(err.Error(), "not found")
		})
	})
}

func TestDayOfACliThatAddsARemoteColony(t *testing.T) {
	forEachDay(t, func(t *testing.T, worker *harness.Worker, c client) {
		authority := certificate(t)
		digest := sha256.Sum256(authority)
		own := colony("mesh", "colony key")
		own.PublicPort = 8443
		own.PublicEndpoint = &discoveryv1.PublicEndpointInfo{
			Enabled: true, Url: "https://colony.example:8443",
			CaCert: base64.StdEncoding.EncodeToString(authority),
			CaFingerprint: &discoveryv1.CertificateFingerprint{
				Algorithm: discoveryv1.FingerprintAlgorithm_FINGERPRINT_ALGORITHM_SHA256, Value: digest[:],
			},
		}
		if err := register(c, own); err != nil {
			t.Fatal(err)
		}
		// `coral status` only wants to know whether somebody answers.
		if _, err := within(2*time.Second, func(ctx context.Context) (any, error) {
			return c.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
		}); err != nil {
			t.Error(err)
		}
		found, err := lookupColony(t, c, "mesh")
		if err != nil || !found.GetPublicEndpoint().GetEnabled() {
			t.Fatalf("%v %v", found, err)
		}
		fetched, err := base64.StdEncoding.DecodeString(found.GetPublicEndpoint().GetCaCert())
		if err != nil || !bytes.Equal(fetched, authority) {
			t.Errorf("%q %v", fetched, err)
		}
		if again := sha256.Sum256(fetched); !bytes.Equal(again[:], found.GetPublicEndpoint().GetCaFingerprint().GetValue()) {
			t.Error("another fingerprint than the certificate's")
		}
	})
}

// certificate is that of an authority, as PEM.
func certificate(t *testing.T) []byte {
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
