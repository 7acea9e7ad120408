package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// answer is what a raw request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

// raw sends a request as curl would: nothing is added but Accept-Encoding, so that nothing is
// inflated behind our back.
func raw(t *testing.T, verb, url string, body []byte, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(deadline(t), verb, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(read)}
}

// dial opens a connection for what no HTTP client would send.
func dial(t *testing.T, worker *harness.Worker) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(worker.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// wantFailure fails unless an answer is a Connect error.
func (a answer) wantFailure(t *testing.T, status int, code connect.Code, text string) {
	t.Helper()
	var got struct{ Code, Message string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
	if a.status != status || got.Code != code.String() || !strings.Contains(got.Message, text) {
		t.Errorf("%d %s, want %d %v %q", a.status, a.body, status, code, text)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type %q", kind)
	}
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestProtocolRefusals(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	lookup := worker.URL + procedure("LookupColony")
	const asJSON, asProto = "application/json", "application/proto"
	large := []byte(`{"mesh_id":"` + strings.Repeat("x", 70_000) + `"}`)
	for _, refusal := range []struct {
		name    string
		body    []byte
		headers []string
		status  int
		code    connect.Code
		text    string
	}{
		{"malformed JSON", []byte(`{"mesh_id":`), []string{"Content-Type", asJSON}, 400, connect.CodeInvalidArgument, "unmarshal message"},
		{"empty JSON", nil, []string{"Content-Type", asJSON}, 400, connect.CodeInvalidArgument, "zero-length payload is not a valid JSON object"},
		{"two JSON values", []byte(`{}{}`), []string{"Content-Type", asJSON}, 400, connect.CodeInvalidArgument, "unmarshal message"},
		{"malformed binary", []byte{0xff}, []string{"Content-Type", asProto}, 400, connect.CodeInvalidArgument, "unmarshal message"},
		{"empty binary is an empty message", nil, []string{"Content-Type", asProto}, 400, connect.CodeInvalidArgument, "mesh_id is required"},
		{"wrong version", []byte(`{}`), []string{"Content-Type", asJSON, "Connect-Protocol-Version", "2"}, 400, connect.CodeInvalidArgument, `Connect-Protocol-Version must be "1": got "2"`},
		{"unknown compression", []byte(`{}`), []string{"Content-Type", asJSON, "Content-Encoding", "br"}, 501, connect.CodeUnimplemented, `unknown compression "br": supported encodings are gzip`},
		{"no gzip at all", []byte(`{}`), []string{"Content-Type", asJSON, "Content-Encoding", "gzip"}, 400, connect.CodeInvalidArgument, "decompress message"},
		{"timeout of letters", []byte(`{}`), []string{"Content-Type", asJSON, "Connect-Timeout-Ms", "soon"}, 400, connect.CodeInvalidArgument, "Connect-Timeout-Ms"},
		{"timeout of eleven digits", []byte(`{}`), []string{"Content-Type", asJSON, "Connect-Timeout-Ms", "12345678901"}, 400, connect.CodeInvalidArgument, "Connect-Timeout-Ms"},
		{"timeout passed", []byte(`{}`), []string{"Content-Type", asJSON, "Connect-Timeout-Ms", "0"}, 504, connect.CodeDeadlineExceeded, "deadline"},
		{"large", large, []string{"Content-Type", asJSON}, 429, connect.CodeResourceExhausted, "65536"},
		{"large when inflated", gzipped(t, large), []string{"Content-Type", asJSON, "Content-Encoding", "gzip"}, 429, connect.CodeResourceExhausted, "65536"},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			got := raw(t, http.MethodPost, lookup, refusal.body, refusal.headers...)
			got.wantFailure(t, refusal.status, refusal.code, refusal.text)
		})
	}
}

func TestWhatHTTPAloneAnswers(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	lookup := worker.URL + procedure("LookupColony")
	for _, kind := range []string{"", "text/plain", "application/grpc", "application/connect+proto", "application/json; charset=latin1"} {
		got := raw(t, http.MethodPost, lookup, []byte(`{}`), "Content-Type", kind)
		if got.status != http.StatusUnsupportedMediaType || got.body != "" ||
			got.header.Get("Accept-Post") != "application/json, application/proto" {
			t.Errorf("content type %q: %+v", kind, got)
		}
	}
	register := worker.URL + procedure("RegisterColony")
	for _, verb := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		got := raw(t, verb, register, nil, "Content-Type", "application/json")
		if got.status != http.StatusMethodNotAllowed || got.body != "" || got.header.Get("Allow") != "POST" {
			t.Errorf("%s: %+v", verb, got)
		}
	}
	for _, path := range []string{"/", "/coral.discovery.v1.DiscoveryService", procedure("Nope"), "/other.Service/LookupColony", procedure("LookupColony") + "/"} {
		got := raw(t, http.MethodPost, worker.URL+path, []byte(`{}`), "Content-Type", "application/json")
		got.wantFailure(t, http.StatusNotFound, connect.CodeUnimplemented, path)
	}
}

// A client whose proto knows a method that the service does not have.
func TestUnknownMethodIsUnimplementedToClients(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	c := connect.NewClient[discoveryv1.HealthRequest, discoveryv1.HealthResponse](
		http.DefaultClient, worker.URL+procedure("FromTheFuture"))
	_, err := c.CallUnary(deadline(t), send(&discoveryv1.HealthRequest{}))
	wantError(t, err, connect.CodeUnimplemented)
}

func TestGzipBothWays(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	request := everything("m")
	registerColony(t, worker.Client(), request)
	lookup, err := proto.Marshal(&discoveryv1.LookupColonyRequest{MeshId: "m"})
	if err != nil {
		t.Fatal(err)
	}
	got := raw(t, http.MethodPost, worker.URL+procedure("LookupColony"), gzipped(t, lookup),
		"Content-Type", "application/proto", "Content-Encoding", "gzip", "Accept-Encoding", "gzip")
	if got.status != http.StatusOK || got.header.Get("Content-Encoding") != "gzip" ||
		got.header.Get("Content-Type") != "application/proto" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	reader, err := gzip.NewReader(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	inflated, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	var found discoveryv1.LookupColonyResponse
	if err := proto.Unmarshal(inflated, &found); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, found.GetPublicEndpoint(), request.GetPublicEndpoint())
	plain := raw(t, http.MethodPost, worker.URL+procedure("LookupColony"), lookup, "Content-Type", "application/proto")
	if plain.header.Get("Content-Encoding") != "" || plain.body != string(inflated) {
		t.Errorf("without Accept-Encoding: %v", plain.header)
	}
	// Errors are small and stay plain.
	missing := raw(t, http.MethodPost, worker.URL+procedure("LookupColony"), nil,
		"Content-Type", "application/proto", "Accept-Encoding", "gzip")
	if missing.header.Get("Content-Encoding") != "" {
		t.Errorf("error: %v", missing.header)
	}
	missing.wantFailure(t, 400, connect.CodeInvalidArgument, "mesh_id is required")
}

// A body of unknown length is read up to the limit too.
func TestChunkedBodies(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	post := func(body string) *http.Response {
		t.Helper()
		// Only a reader of unknown type makes Go send chunks.
		reader := struct{ io.Reader }{strings.NewReader(body)}
		response, err := http.Post(worker.URL+procedure("LookupColony"), "application/json", reader)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	if got := post(`{"mesh_id":"nobody"}`); got.StatusCode != http.StatusNotFound {
		t.Errorf("small: %d", got.StatusCode)
	}
	if got := post(`{"mesh_id":"` + strings.Repeat("x", 1_000_000) + `"}`); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("large: %d", got.StatusCode)
	}
}

// Clients send a dozen headers. What ten thousand would cost, others would pay.
func TestTooManyHeadersAreRefused(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	headers := func(count int) []string {
		headers := []string{"Content-Type", "application/json"}
		for number := range count {
			headers = append(headers, fmt.Sprintf("X-%d", number), "y")
		}
		return headers
	}
	url := worker.URL + procedure("Health")
	if got := raw(t, http.MethodPost, url, []byte("{}"), headers(100)...); got.status != http.StatusOK {
		t.Errorf("100 more headers: status %d", got.status)
	}
	got := raw(t, http.MethodPost, url, []byte("{}"), headers(200)...)
	if got.status != http.StatusRequestHeaderFieldsTooLarge || !strings.Contains(string(got.body), "resource_exhausted") {
		t.Errorf("200 more headers: status %d, %s", got.status, got.body)
	}
}

// Whatever length a body in chunks claims to have, it is counted as it comes.
func TestALengthBesideChunksIsNotBelieved(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n", procedure("LookupColony"))
	go func() {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<16, strings.Repeat("x", 1<<16))
		for range 64 {
			if _, err := io.WriteString(connection, chunk); err != nil {
				return // it was refused before
			}
		}
		_, _ = io.WriteString(connection, "0\r\n\r\n")
	}()
	got, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	// workerd may refuse the two headers together; the Worker refuses the size.
	if got.StatusCode != http.StatusTooManyRequests && got.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", got.StatusCode)
	}
}
