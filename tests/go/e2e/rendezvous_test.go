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

// newRecord returns a rendezvous record such as agents publish.
func newRecord(meshID string) *discoveryv1.PublishBootstrapRendezvousRequest {
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

func publish(
	t *testing.T, c client, record *discoveryv1.PublishBootstrapRendezvousRequest,
) (*discoveryv1.PublishBootstrapRendezvousResponse, error) {
	t.Helper()
	response, err := c.PublishBootstrapRendezvous(testContext(t), newRequest(record))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// publishRecord publishes a record and returns its id.
func publishRecord(
	t *testing.T, c client, record *discoveryv1.PublishBootstrapRendezvousRequest,
) string {
	t.Helper()
	published, err := publish(t, c, record)
	if err != nil || !published.GetSuccess() {
		t.Fatalf("%v %v", published, err)
	}
	return published.GetRecordId()
}

func poll(
	ctx context.Context, c client, meshID string, waitSeconds int32,
) (*discoveryv1.PollBootstrapRendezvousResponse, error) {
	response, err := c.PollBootstrapRendezvous(ctx, newRequest(
		&discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: waitSeconds}))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// pollNow returns the records of a mailbox without waiting for one.
func pollNow(
	t *testing.T, c client, meshID string,
) []*discoveryv1.BootstrapRendezvousRecord {
	t.Helper()
	response, err := poll(testContext(t), c, meshID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if response.GetTimedOut() != (len(response.GetRecords()) == 0) {
		t.Errorf("%v", response)
	}
	return response.GetRecords()
}

// acknowledge acknowledges a record. It returns false if the record was not removed.
func acknowledge(t *testing.T, c client, meshID, recordID string, writeToken []byte) bool {
	t.Helper()
	response, err := c.AckBootstrapRendezvous(testContext(t), newRequest(
		&discoveryv1.AckBootstrapRendezvousRequest{
			MeshId: meshID, RecordId: recordID, WriteToken: writeToken,
		}))
	if err != nil {
		t.Fatal(err)
	}
	return response.Msg.GetSuccess()
}

func TestRendezvousRecordLifecycle(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		record := newRecord(mesh)
		recordID := publishRecord(t, c, record)
		if _, err := ulid.ParseStrict(recordID); err != nil {
			t.Errorf("id %q: %v", recordID, err)
		}
		found := pollNow(t, c, mesh)
		if len(found) != 1 || found[0].GetRecordId() != recordID ||
			!bytes.Equal(found[0].GetCiphertext(), record.GetCiphertext()) ||
			!bytes.Equal(found[0].GetGcmNonce(), record.GetGcmNonce()) ||
			time.Since(found[0].GetPublishedAt().AsTime()) > testTimeout {
			t.Fatalf("found %v", found)
		}
		replacement := newRecord(mesh)
		replacement.RecordId, replacement.WriteToken = recordID, record.GetWriteToken()
		if replacedID := publishRecord(t, c, replacement); replacedID != recordID {
			t.Errorf("replaced record %s, want %s", replacedID, recordID)
		}
		otherID := publishRecord(t, c, newRecord(mesh))
		found = pollNow(t, c, mesh)
		if len(found) != 2 || found[1].GetRecordId() != otherID ||
			!bytes.Equal(found[0].GetCiphertext(), replacement.GetCiphertext()) {
			t.Fatalf("found %v", found)
		}
		// The second acknowledgement finds no record, which is no error.
		for range 2 {
			if !acknowledge(t, c, mesh, recordID, record.GetWriteToken()) {
				t.Error("the record was not removed")
			}
		}
		if found = pollNow(t, c, mesh); len(found) != 1 || found[0].GetRecordId() != otherID {
			t.Errorf("found %v", found)
		}
	})
}

func TestWrongWriteTokenChangesNothing(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		recordID := publishRecord(t, c, newRecord(mesh))
		before := pollNow(t, c, mesh)
		forged := newRecord(mesh)
		forged.RecordId = recordID
		_, err := publish(t, c, forged)
		wantError(t, err, connect.CodePermissionDenied, "write_token mismatch")
		if acknowledge(t, c, mesh, recordID, forged.GetWriteToken()) {
			t.Error("removed with a wrong token")
		}
		after := pollNow(t, c, mesh)
		if len(before) != 1 || len(after) != 1 {
			t.Fatalf("before %v, after %v", before, after)
		}
		wantEqual(t, after[0], before[0])
		// An unknown record is not created, and its acknowledgement succeeds.
		unknown := newRecord(mesh)
		unknown.RecordId = "01K0000000000000000000000A"
		response, err := publish(t, c, unknown)
		if err != nil || response.GetSuccess() || response.GetProbeFailed() {
			t.Errorf("%v %v", response, err)
		}
		if !acknowledge(t, c, mesh, unknown.GetRecordId(), unknown.GetWriteToken()) {
			t.Error("the acknowledgement of an unknown record failed")
		}
	})
}

func TestRendezvousRecordsExpireAndSurviveAKill(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	long := publishRecord(t, c, newRecord("m"))
	short := newRecord("m")
	short.TtlSeconds = 1
	publishRecord(t, c, short)
	worker.Restart()
	harness.Eventually(t, testTimeout, "the short record expires", func() bool {
		found := pollNow(t, c, "m")
		return len(found) == 1 && found[0].GetRecordId() == long
	})
	// The maximum time to live is 90 s.
	beyond := newRecord("m")
	beyond.TtlSeconds = 3_600
	published, err := publish(t, c, beyond)
	if err != nil {
		t.Fatal(err)
	}
	ttl := time.Until(published.GetExpiresAt().AsTime())
	if ttl > 91*time.Second || ttl < 30*time.Second {
		t.Errorf("expires in %v", ttl)
	}
}

// All polls that wait for a mailbox get a new record, and no polls of other mailboxes do.
func TestPollWaitsForARecord(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		mesh := t.Name()
		const waiting = 3
		type outcome struct {
			response *discoveryv1.PollBootstrapRendezvousResponse
			err      error
		}
		outcomes := make(chan outcome, waiting)
		ctx := testContext(t)
		for range waiting {
			go func() {
				response, err := poll(ctx, c, mesh, 25)
				outcomes <- outcome{response, err}
			}()
		}
		otherMesh := make(chan outcome, 1)
		go func() {
			response, err := poll(ctx, c, mesh+"-other", 3)
			otherMesh <- outcome{response, err}
		}()
		// The test cannot see that the polls wait. A poll that starts later finds the record at once.
		select {
		case early := <-outcomes:
			t.Fatalf("before any record: %v %v", early.response, early.err)
		case <-time.After(300 * time.Millisecond):
		}
		recordID := publishRecord(t, c, newRecord(mesh))
		for range waiting {
			outcome := <-outcomes
			records := outcome.response.GetRecords()
			if outcome.err != nil || outcome.response.GetTimedOut() || len(records) != 1 ||
				records[0].GetRecordId() != recordID {
				t.Errorf("%v %v", outcome.response, outcome.err)
			}
		}
		other := <-otherMesh
		if other.err != nil || !other.response.GetTimedOut() ||
			len(other.response.GetRecords()) != 0 {
			t.Errorf("other mesh: %v %v", other.response, other.err)
		}
	})
}

// A poll whose deadline is shorter than its wait responds before the deadline.
func TestPollRespondsBeforeTheCallersDeadline(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	response, err := poll(ctx, worker.Client(), "m", 25)
	if err != nil || !response.GetTimedOut() {
		t.Errorf("%v %v", response, err)
	}
}

// A poll ends when its client disconnects, and its resources are released. Cloudflare's edge
// reports every disconnect to the Worker; workerd itself detects only connections that are reset.
func TestPollEndsWhenTheClientDisconnects(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	dialer := func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// Closing the connection resets it.
		return connection, connection.(*net.TCPConn).SetLinger(0)
	}
	httpClient := &http.Client{
		Transport: harness.Record(&http.Transport{DialContext: dialer}),
	}
	c := discoveryv1connect.NewDiscoveryServiceClient(httpClient, worker.URL)
	// Without a deadline, only the closed connection notifies the Worker.
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Second, cancel)
	message := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: "m", WaitSeconds: 25}
	request := newRequest(message, "Cf-Ray", "disconnected")
	if _, err := c.PollBootstrapRendezvous(ctx, request); connect.CodeOf(err) != connect.CodeCanceled {
		t.Fatal(err)
	}
	// The log has the entry when the call ends. The test waits for less than the poll would.
	entry := worker.RequestEntry("disconnected")
	if entry.Status != http.StatusOK || *entry.DurationMs >= 25_000 {
		t.Errorf("%+v", entry)
	}
}

// A mailbox has a limit of waiting polls. A new poll is accepted beyond it, and the oldest one
// ends: no client can keep a colony from polling.
func TestNewPollReplacesTheOldestWaitingPoll(t *testing.T) {
	t.Parallel()
	const maxWaiting = 64
	worker := harness.Start(t)
	responses := make(chan *discoveryv1.PollBootstrapRendezvousResponse, maxWaiting+1)
	ctx := testContext(t)
	for range maxWaiting {
		go func() {
			response, err := poll(ctx, worker.Client(), "m", 25)
			if err != nil {
				t.Error(err)
			}
			responses <- response
		}()
	}
	// A poll more ends no other one until all of them wait.
	harness.Eventually(t, testTimeout, "a new poll ends a waiting one", func() bool {
		if _, err := poll(ctx, worker.Client(), "m", 1); err != nil {
			t.Fatal(err)
		}
		return len(responses) > 0
	})
	if oldest := <-responses; !oldest.GetTimedOut() {
		t.Errorf("%v", oldest)
	}
	publishRecord(t, worker.Client(), newRecord("m"))
	for range maxWaiting - 1 {
		if response := <-responses; !response.GetTimedOut() && len(response.GetRecords()) != 1 {
			t.Errorf("%v", response)
		}
	}
}

func TestRendezvousRecordsOfAMeshAreLimited(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	c := worker.Client()
	for range 10 {
		publishRecord(t, c, newRecord("m"))
	}
	worker.Restart()
	_, err := publish(t, c, newRecord("m"))
	wantError(t, err, connect.CodeResourceExhausted, "too many rendezvous records")
	if errorMetadata(err).Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	publishRecord(t, c, newRecord("another"))
}

func TestRendezvousValidation(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	type request = discoveryv1.PublishBootstrapRendezvousRequest
	forEachCodec(t, worker, func(t *testing.T, c client) {
		for text, change := range map[string]func(*request){
			"mesh_id is required":                   func(r *request) { r.MeshId = "" },
			"ciphertext is required":                func(r *request) { r.Ciphertext = nil },
			"ciphertext must have at most":          func(r *request) { r.Ciphertext = make([]byte, 5000) },
			"gcm_nonce must have 12 bytes":          func(r *request) { r.GcmNonce = r.GcmNonce[1:] },
			"write_token must have 32 bytes, not 0": func(r *request) { r.WriteToken = nil },
			"ttl_seconds must not be negative":      func(r *request) { r.TtlSeconds = -1 },
		} {
			record := newRecord("m")
			change(record)
			_, err := publish(t, c, record)
			wantError(t, err, connect.CodeInvalidArgument, text)
		}
		record := newRecord("m")
		record.VerifyReachability = true
		_, err := publish(t, c, record)
		wantError(t, err, connect.CodeFailedPrecondition, "verify_reachability")
		_, err = poll(testContext(t), c, "", 0)
		wantError(t, err, connect.CodeInvalidArgument, "mesh_id is required")
		_, err = poll(testContext(t), c, "m", -1)
		wantError(t, err, connect.CodeInvalidArgument, "wait_seconds")
	})
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("stored %v and %d alarms", keys, alarms)
	}
}

// Storage has no write tokens, and nothing at all once the records are acknowledged.
func TestWriteTokensAreNotStored(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "CLEANUP_INTERVAL_MS=100")
	record := newRecord("m")
	recordID := publishRecord(t, worker.Client(), record)
	ciphertexts := 0
	for _, file := range worker.Databases() {
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(file + suffix)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			ciphertexts += bytes.Count(content, record.GetCiphertext())
			if bytes.Contains(content, record.GetWriteToken()) {
				t.Errorf("%s contains the token", file)
			}
		}
	}
	if ciphertexts == 0 {
		t.Error("no file contains the record: the search proves nothing")
	}
	acknowledge(t, worker.Client(), "m", recordID, record.GetWriteToken())
	harness.Eventually(t, testTimeout, "storage is empty", storageIsEmpty(worker))
}
