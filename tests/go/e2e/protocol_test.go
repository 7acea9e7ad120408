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

// httpResponse is a response with its body.
type httpResponse struct {
	status int
	header http.Header
	body   string
}

// sendHTTP sends a request as curl does, with headers as name, value, name, value. It sets
// Accept-Encoding, so that Go does not decompress the body.
func sendHTTP(
	t *testing.T, httpMethod, url string, body []byte, headers ...string,
) httpResponse {
	t.Helper()
	request, err := http.NewRequestWithContext(
		testContext(t), httpMethod, url, bytes.NewReader(body))
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
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return httpResponse{response.StatusCode, response.Header, string(content)}
}

// dial opens a connection for requests that no HTTP client sends.
func dial(t *testing.T, worker *harness.Worker) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(worker.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// wantConnectError fails the test unless the response is this Connect error.
func (r httpResponse) wantConnectError(
	t *testing.T, status int, code connect.Code, text string,
) {
	t.Helper()
	var got struct{ Code, Message string }
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%d %q: %v", r.status, r.body, err)
	}
	if r.status != status || got.Code != code.String() || !strings.Contains(got.Message, text) {
		t.Errorf("%d %s, want %d %v %q", r.status, r.body, status, code, text)
	}
	if contentType := r.header.Get("Content-Type"); contentType != "application/json" {
		t.Errorf("Content-Type %q", contentType)
	}
}

func compress(t *testing.T, content []byte) []byte {
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

func TestProtocolErrors(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	url := worker.URL + procedure("LookupColony")
	large := []byte(`{"mesh_id":"` + strings.Repeat("x", 70_000) + `"}`)
	const asJSON, asProto = "application/json", "application/proto"
	for _, test := range []struct {
		name        string
		contentType string
		body        []byte
		headers     []string
		status      int
		code        connect.Code
		text        string
	}{
		{"malformed JSON", asJSON, []byte(`{"mesh_id":`), nil,
			400, connect.CodeInvalidArgument, "unmarshal message"},
		{"empty JSON", asJSON, nil, nil,
			400, connect.CodeInvalidArgument, "zero-length payload is not a valid JSON object"},
		{"two JSON values", asJSON, []byte(`{}{}`), nil,
			400, connect.CodeInvalidArgument, "unmarshal message"},
		{"malformed binary", asProto, []byte{0xff}, nil,
			400, connect.CodeInvalidArgument, "unmarshal message"},
		{"empty binary is an empty message", asProto, nil, nil,
			400, connect.CodeInvalidArgument, "mesh_id is required"},
		{"unknown protocol version", asJSON, []byte(`{}`), []string{"Connect-Protocol-Version", "2"},
			400, connect.CodeInvalidArgument, `Connect-Protocol-Version must be "1": got "2"`},
		{"unknown compression", asJSON, []byte(`{}`), []string{"Content-Encoding", "br"},
			501, connect.CodeUnimplemented,
			`unknown compression "br": supported encodings are gzip`},
		{"invalid gzip", asJSON, []byte(`{}`), []string{"Content-Encoding", "gzip"},
			400, connect.CodeInvalidArgument, "decompress message"},
		{"timeout of letters", asJSON, []byte(`{}`), []string{"Connect-Timeout-Ms", "soon"},
			400, connect.CodeInvalidArgument, "Connect-Timeout-Ms"},
		{"timeout of eleven digits", asJSON, []byte(`{}`),
			[]string{"Connect-Timeout-Ms", "12345678901"},
			400, connect.CodeInvalidArgument, "Connect-Timeout-Ms"},
		{"timeout of zero", asJSON, []byte(`{}`), []string{"Connect-Timeout-Ms", "0"},
			504, connect.CodeDeadlineExceeded, "deadline"},
		{"large body", asJSON, large, nil,
			429, connect.CodeResourceExhausted, "65536"},
		{"large decompressed body", asJSON, compress(t, large),
			[]string{"Content-Encoding", "gzip"},
			429, connect.CodeResourceExhausted, "65536"},
	} {
		t.Run(test.name, func(t *testing.T) {
			headers := append([]string{"Content-Type", test.contentType}, test.headers...)
			response := sendHTTP(t, http.MethodPost, url, test.body, headers...)
			response.wantConnectError(t, test.status, test.code, test.text)
		})
	}
}

// Requests that are no Connect calls get plain HTTP errors.
func TestHTTPErrors(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	lookup := worker.URL + procedure("LookupColony")
	for _, contentType := range []string{
		"", "text/plain", "application/grpc", "application/connect+proto",
		"application/json; charset=latin1",
	} {
		got := sendHTTP(t, http.MethodPost, lookup, []byte(`{}`), "Content-Type", contentType)
		if got.status != http.StatusUnsupportedMediaType || got.body != "" ||
			got.header.Get("Accept-Post") != "application/json, application/proto" {
			t.Errorf("content type %q: %+v", contentType, got)
		}
	}
	register := worker.URL + procedure("RegisterColony")
	for _, httpMethod := range []string{
		http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions,
	} {
		got := sendHTTP(t, httpMethod, register, nil, "Content-Type", "application/json")
		if got.status != http.StatusMethodNotAllowed || got.body != "" ||
			got.header.Get("Allow") != "POST" {
			t.Errorf("%s: %+v", httpMethod, got)
		}
	}
	for _, path := range []string{
		"/", "/coral.discovery.v1.DiscoveryService", procedure("Nope"),
		"/other.Service/LookupColony", procedure("LookupColony") + "/",
	} {
		url := worker.URL + path
		got := sendHTTP(t, http.MethodPost, url, []byte(`{}`), "Content-Type", "application/json")
		got.wantConnectError(t, http.StatusNotFound, connect.CodeUnimplemented, path)
	}
}

// A client may be newer than the service and know more methods.
func TestUnknownMethodIsUnimplemented(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	c := connect.NewClient[discoveryv1.HealthRequest, discoveryv1.HealthResponse](
		http.DefaultClient, worker.URL+procedure("FromTheFuture"))
	_, err := c.CallUnary(testContext(t), newRequest(&discoveryv1.HealthRequest{}))
	wantError(t, err, connect.CodeUnimplemented)
}

func TestGzipBothWays(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	registered := fullColony("m")
	registerColony(t, worker.Client(), registered)
	lookup, err := proto.Marshal(&discoveryv1.LookupColonyRequest{MeshId: "m"})
	if err != nil {
		t.Fatal(err)
	}
	url := worker.URL + procedure("LookupColony")
	compressed := sendHTTP(t, http.MethodPost, url, compress(t, lookup),
		"Content-Type", "application/proto", "Content-Encoding", "gzip",
		"Accept-Encoding", "gzip")
	if compressed.status != http.StatusOK ||
		compressed.header.Get("Content-Encoding") != "gzip" ||
		compressed.header.Get("Content-Type") != "application/proto" {
		t.Fatalf("%d %v", compressed.status, compressed.header)
	}
	reader, err := gzip.NewReader(strings.NewReader(compressed.body))
	if err != nil {
		t.Fatal(err)
	}
	decompressed, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	var found discoveryv1.LookupColonyResponse
	if err := proto.Unmarshal(decompressed, &found); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, found.GetPublicEndpoint(), registered.GetPublicEndpoint())
	plain := sendHTTP(t, http.MethodPost, url, lookup, "Content-Type", "application/proto")
	if plain.header.Get("Content-Encoding") != "" || plain.body != string(decompressed) {
		t.Errorf("without Accept-Encoding: %v", plain.header)
	}
	// Errors are not compressed: they are small.
	failed := sendHTTP(t, http.MethodPost, url, nil,
		"Content-Type", "application/proto", "Accept-Encoding", "gzip")
	if failed.header.Get("Content-Encoding") != "" {
		t.Errorf("error: %v", failed.header)
	}
	failed.wantConnectError(t, 400, connect.CodeInvalidArgument, "mesh_id is required")
}

// The size limit applies to bodies without Content-Length too.
func TestChunkedBodies(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	post := func(body string) int {
		t.Helper()
		// Go sends chunks because it does not know the length of this reader.
		reader := struct{ io.Reader }{strings.NewReader(body)}
		url := worker.URL + procedure("LookupColony")
		response, err := http.Post(url, "application/json", reader)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if status := post(`{"mesh_id":"unknown"}`); status != http.StatusNotFound {
		t.Errorf("small body: status %d", status)
	}
	large := `{"mesh_id":"` + strings.Repeat("x", 1_000_000) + `"}`
	if status := post(large); status != http.StatusTooManyRequests {
		t.Errorf("large body: status %d", status)
	}
}

// Clients send a dozen headers. Ten thousand would take processor time from other requests.
func TestTooManyHeadersAreRejected(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	send := func(count int) httpResponse {
		headers := []string{"Content-Type", "application/json"}
		for number := range count {
			headers = append(headers, fmt.Sprintf("X-%d", number), "y")
		}
		url := worker.URL + procedure("Health")
		return sendHTTP(t, http.MethodPost, url, []byte("{}"), headers...)
	}
	if response := send(100); response.status != http.StatusOK {
		t.Errorf("100 more headers: status %d", response.status)
	}
	response := send(200)
	if response.status != http.StatusRequestHeaderFieldsTooLarge ||
		!strings.Contains(response.body, "resource_exhausted") {
		t.Errorf("200 more headers: status %d, %s", response.status, response.body)
	}
}

// The size limit counts the bytes of a chunked body, whatever its Content-Length.
func TestContentLengthOfAChunkedBodyIsIgnored(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n", procedure("LookupColony"))
	go func() {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<16, strings.Repeat("x", 1<<16))
		for range 64 {
			if _, err := io.WriteString(connection, chunk); err != nil {
				return // rejected before the end
			}
		}
		_, _ = io.WriteString(connection, "0\r\n\r\n")
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	// workerd may reject the combination of headers. Otherwise the Worker rejects the size.
	if response.StatusCode != http.StatusTooManyRequests &&
		response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}
