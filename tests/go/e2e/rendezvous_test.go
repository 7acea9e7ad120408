package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/oklog/ulid/v2"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// message is what an agent leaves for a colony.
func message(meshID string) *discoveryv1.PublishBootstrapRendezvousRequest {
	random := func(bytes int) []byte {
		buffer := make([]byte, bytes)
		_, _ = rand.Read(buffer)
		return buffer
	}
	return &discoveryv1.PublishBootstrapRendezvousRequest{
		MeshId: meshID, Ciphertext: random(300), GcmNonce: random(12), TtlSeconds: 90,
		ProbeEndpoint: "203.0.113.9:8444", WriteToken: random(32),
	}
}

func publish(t *testing.T, c client, request *discoveryv1.PublishBootstrapRendezvousRequest) (*discoveryv1.PublishBootstrapRendezvousResponse, error) {
	t.Helper()
	answer, err := c.PublishBootstrapRendezvous(deadline(t), send(request))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

func left(t *testing.T, c client, request *discoveryv1.PublishBootstrapRendezvousRequest) string {
	t.Helper()
	got, err := publish(t, c, request)
	if err != nil || !got.GetSuccess() {
		t.Fatalf("%v %v", got, err)
	}
	return got.GetRecordId()
}

func poll(t *testing.T, ctx context.Context, c client, meshID string, seconds int32) (*discoveryv1.PollBootstrapRendezvousResponse, error) {
	t.Helper()
	answer, err := c.PollBootstrapRendezvous(ctx, send(&discoveryv1.PollBootstrapRendezvousRequest{
		MeshId: meshID, WaitSeconds: seconds,
	}))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

// there are the messages that are there.
func there(t *testing.T, c client, meshID string) []*discoveryv1.BootstrapRendezvousRecord {
	t.Helper()
	got, err := poll(t, deadline(t), c, meshID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.GetTimedOut() != (len(got.GetRecords()) == 0) {
		t.Errorf("%v", got)
	}
	return got.GetRecords()
}

func ack(t *testing.T, c client, meshID, recordID string, token []byte) bool {
	t.Helper()
	answer, err := c.AckBootstrapRendezvous(deadline(t), send(&discoveryv1.AckBootstrapRendezvousRequest{
		MeshId: meshID, RecordId: recordID, WriteToken: token,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg.GetSuccess()
}

func TestMessageIsLeftFetchedReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		sent := message(mesh)
		recordID := left(t, c, sent)
		if _, err := ulid.ParseStrict(recordID); err != nil {
			t.Errorf("id %q: %v", recordID, err)
		}
		found := there(t, c, mesh)
		if len(found) != 1 || found[0].GetRecordId() != recordID || !bytes.Equal(found[0].GetCiphertext(), sent.GetCiphertext()) ||
			!bytes.Equal(found[0].GetGcmNonce(), sent.GetGcmNonce()) || time.Since(found[0].GetPublishedAt().AsTime()) > patience {
			t.Fatalf("found %v", found)
		}
		again := message(mesh)
		again.RecordId, again.WriteToken = recordID, sent.GetWriteToken()
		if replaced := left(t, c, again); replaced != recordID {
			t.Errorf("replaced %s by %s", recordID, replaced)
		}
		other := left(t, c, message(mesh))
		found = there(t, c, mesh)
		if len(found) != 2 || !bytes.Equal(found[0].GetCiphertext(), again.GetCiphertext()) || found[1].GetRecordId() != other {
			t.Fatalf("found %v", found)
		}
		for range 2 {
			if !ack(t, c, mesh, recordID, sent.GetWriteToken()) {
				t.Error("not removed")
			}
		}
		if found = there(t, c, mesh); len(found) != 1 || found[0].GetRecordId() != other {
			t.Errorf("left is %v", found)
		}
	})
}

func TestAnotherTokenChangesNothing(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		sent := message(mesh)
		recordID := left(t, c, sent)
		before := there(t, c, mesh)
		forged := message(mesh)
		forged.RecordId = recordID
		_, err := publish(t, c, forged)
		wantError(t, err, connect.CodePermissionDenied, "write_token mismatch")
		if ack(t, c, mesh, recordID, forged.GetWriteToken()) {
			t.Error("removed by somebody else")
		}
		after := there(t, c, mesh)
		if len(before) != 1 || len(after) != 1 {
			t.Fatalf("before %v, after %v", before, after)
		}
		wantEqual(t, after[0], before[0])
		// What is gone is not brought back, and removing it again is no error.
		forged.RecordId = "01K0000000000000000000000A"
		got, err := publish(t, c, forged)
		if err != nil || got.GetSuccess() || got.GetProbeFailed() {
			t.Errorf("%v %v", got, err)
		}
		if !ack(t, c, mesh, forged.GetRecordId(), forged.GetWriteToken()) {
			t.Error("what is not there is not gone")
		}
	})
}

func TestMessagesLapseAndOutliveAKill(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	long := left(t, c, message("m"))
	short := message("m")
	short.TtlSeconds = 1
	left(t, c, short)
	worker.Restart()
	harness.Eventually(t, patience, "the short one lapses", func() bool {
		found := there(t, c, "m")
		return len(found) == 1 && found[0].GetRecordId() == long
	})
	beyond := message("m")
	beyond.TtlSeconds = 3_600
	got, err := publish(t, c, beyond)
	if err != nil {
		t.Fatal(err)
	}
	if stays := time.Until(got.GetExpiresAt().AsTime()); stays > 91*time.Second || stays < 30*time.Second {
		t.Errorf("stays for %v", stays)
	}
}

// Who waits hears of a message that comes, each of those who wait and only of its mesh.
func TestPollWaitsForAMessage(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		const waiting = 3
		type outcome struct {
			got *discoveryv1.PollBootstrapRendezvousResponse
			err error
		}
		outcomes := make(chan outcome, waiting)
		ctx := deadline(t)
		for range waiting {
			go func() {
				got, err := poll(t, ctx, c, mesh, 25)
				outcomes <- outcome{got, err}
			}()
		}
		other := make(chan outcome, 1)
		go func() {
			got, err := poll(t, ctx, c, mesh+"-other", 3)
			other <- outcome{got, err}
		}()
		// Nothing says that they wait; a message that comes before they do is found all the same.
		select {
		case early := <-outcomes:
			t.Fatalf("before any message: %v %v", early.got, early.err)
		case <-time.After(300 * time.Millisecond):
		}
		recordID := left(t, c, message(mesh))
		for range waiting {
			if found := <-outcomes; found.err != nil || found.got.GetTimedOut() ||
				len(found.got.GetRecords()) != 1 || found.got.GetRecords()[0].GetRecordId() != recordID {
				t.Errorf("%v %v", found.got, found.err)
			}
		}
		if none := <-other; none.err != nil || !none.got.GetTimedOut() || len(none.got.GetRecords()) != 0 {
			t.Errorf("of another mesh: %v %v", none.got, none.err)
		}
	})
}

// A caller that gives up sooner than it asks to wait is answered before it does.
func TestPollIsAnsweredBeforeTheCallersDeadline(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	got, err := poll(t, ctx, worker.Client(), "m", 25)
	if err != nil || !got.GetTimedOut() {
		t.Errorf("%v %v", got, err)
	}
}

// What a client that went away has held is let go. Cloudflare's edge tells a Worker of any client that has gone; workerd itself
// sees only connections that are reset.
func TestPollLetsGoOfClientsThatAreGone(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	resets := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return connection, connection.(*net.TCPConn).SetLinger(0)
	}}}
	c := discoveryv1connect.NewDiscoveryServiceClient(resets, worker.URL)
	// It has no deadline that the Worker could know of: only the connection tells that it has gone.
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Second, cancel)
	request := send(&discoveryv1.PollBootstrapRendezvousRequest{MeshId: "m", WaitSeconds: 25}, "Cf-Ray", "gone")
	if _, err := c.PollBootstrapRendezvous(ctx, request); connect.CodeOf(err) != connect.CodeCanceled {
		t.Fatal(err)
	}
	// The line comes when the call ends, and is waited for less long than the call could last.
	if line := worker.RequestEntry("gone"); line.Status != http.StatusOK || *line.DurationMs >= 25_000 {
		t.Errorf("%+v", line)
	}
}

// Whoever fills the places of those who wait keeps nobody from waiting: the one goes that has waited longest.
func TestPollOfOneMoreIsAlwaysTaken(t *testing.T) {
	t.Parallel()
	const most = 64
	worker := harness.Start(t)
	outcomes := make(chan *discoveryv1.PollBootstrapRendezvousResponse, most+1)
	ctx := deadline(t)
	for range most {
		go func() {
			got, err := poll(t, ctx, worker.Client(), "m", 25)
			if err != nil {
				t.Error(err)
			}
			outcomes <- got
		}()
	}
	// Until all of them wait, one more sends nobody away.
	harness.Eventually(t, patience, "the places are taken", func() bool {
		if _, err := poll(t, ctx, worker.Client(), "m", 1); err != nil {
			t.Fatal(err)
		}
		return len(outcomes) > 0
	})
	if early := <-outcomes; !early.GetTimedOut() {
		t.Errorf("%v", early)
	}
	left(t, worker.Client(), message("m"))
	for range most - 1 {
		if got := <-outcomes; !got.GetTimedOut() && len(got.GetRecords()) != 1 {
			t.Errorf("%v", got)
		}
	}
}

func TestMessagesOfAMeshAreLimited(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	c := worker.Client()
	for range 10 {
		left(t, c, message("m"))
	}
	worker.Restart()
	_, err := publish(t, c, message("m"))
	wantError(t, err, connect.CodeResourceExhausted, "too many rendezvous records")
	if metadata(err).Get("Retry-After") == "" {
		t.Error("nobody says when to try again")
	}
	left(t, c, message("another"))
}

func TestMessagesThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		for text, change := range map[string]func(*discoveryv1.PublishBootstrapRendezvousRequest){
			"mesh_id is required":                   func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.MeshId = "" },
			"ciphertext is required":                func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.Ciphertext = nil },
			"ciphertext must have at most":          func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.Ciphertext = make([]byte, 5000) },
			"gcm_nonce must have 12 bytes":          func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.GcmNonce = r.GcmNonce[1:] },
			"write_token must have 32 bytes, not 0": func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.WriteToken = nil },
			"ttl_seconds must not be negative":      func(r *discoveryv1.PublishBootstrapRendezvousRequest) { r.TtlSeconds = -1 },
		} {
			request := message("m")
			change(request)
			_, err := publish(t, c, request)
			wantError(t, err, connect.CodeInvalidArgument, text)
		}
		request := message("m")
		request.VerifyReachability = true
		_, err := publish(t, c, request)
		wantError(t, err, connect.CodeFailedPrecondition, "verify_reachability")
		_, err = poll(t, deadline(t), c, "", 0)
		wantError(t, err, connect.CodeInvalidArgument, "mesh_id is required")
		_, err = poll(t, deadline(t), c, "m", -1)
		wantError(t, err, connect.CodeInvalidArgument, "wait_seconds")
	})
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("stored %v and %d alarms", keys, alarms)
	}
}

// Who reads the storage learns no token, and when all is done there is nothing to read.
func TestTokensAreNotStored(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "CLEANUP_INTERVAL_MS=100")
	sent := message("m")
	recordID := left(t, worker.Client(), sent)
	stored := 0
	for _, file := range worker.Databases() {
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(file + suffix)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			stored += bytes.Count(content, sent.GetCiphertext())
			if bytes.Contains(content, sent.GetWriteToken()) {
				t.Errorf("%s has the token", file)
			}
		}
	}
	if stored == 0 {
		t.Error("the message is not found: nothing was looked at")
	}
	ack(t, worker.Client(), "m", recordID, sent.GetWriteToken())
	harness.Eventually(t, patience, "nothing is stored", nothingIsStored(worker))
}
