package harness

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

const (
	// keptExchanges is the number of exchanges with a server that a failing test prints.
	keptExchanges = 10
	// keptBodyBytes is the part of a body that it prints.
	keptBodyBytes = 400
)

// exchanges has the last requests of this process to each server, by host, and their responses.
var exchanges = recorded{byHost: map[string][]*exchange{}}

// Tests use http.DefaultTransport, or Record one of their own. Programs such as the benchmark do
// not record: it takes time.
func init() {
	if testing.Testing() {
		http.DefaultTransport = Record(http.DefaultTransport)
	}
}

// Record returns a transport whose last requests and responses a failing test prints.
func Record(next http.RoundTripper) http.RoundTripper { return recorder{next} }

type recorder struct{ next http.RoundTripper }

// recorded has the last exchanges with each server.
type recorded struct {
	mutex  sync.Mutex
	byHost map[string][]*exchange
}

// exchange is a request, and its response or error as soon as it is known.
type exchange struct {
	request, response excerpt
	method, path      string
	status, err       string
	headers, meta     http.Header
}

// RoundTrip implements http.RoundTripper.
func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	kept := &exchange{
		method: request.Method, path: request.URL.RequestURI(), headers: request.Header.Clone(),
	}
	exchanges.keep(request.URL.Host, kept)
	if request.Body != nil && request.Body != http.NoBody {
		request = request.Clone(request.Context())
		request.Body = kept.request.tee(request.Body)
	}
	response, err := r.next.RoundTrip(request)
	exchanges.mutex.Lock()
	defer exchanges.mutex.Unlock()
	if err != nil {
		kept.err = err.Error()
		return nil, err
	}
	kept.status, kept.meta = response.Status, response.Header.Clone()
	if response.StatusCode != http.StatusSwitchingProtocols {
		response.Body = kept.response.tee(response.Body)
	}
	return response, nil
}

func (r *recorded) keep(host string, kept *exchange) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := append(r.byHost[host], kept)
	r.byHost[host] = all[max(0, len(all)-keptExchanges):]
}

// text returns the last exchanges with a server, the oldest first.
func (r *recorded) text(host string) string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var text strings.Builder
	for _, kept := range r.byHost[host] {
		fmt.Fprintf(&text, "> %s %s %v\n", kept.method, kept.path, kept.headers)
		fmt.Fprintf(&text, "> %s\n", &kept.request)
		switch {
		case kept.err != "":
			fmt.Fprintf(&text, "< no response: %s\n", kept.err)
		case kept.status == "":
			fmt.Fprintln(&text, "< no response yet")
		default:
			fmt.Fprintf(&text, "< %s %v\n< %s\n", kept.status, kept.meta, &kept.response)
		}
	}
	return text.String()
}

// excerpt is the beginning of a body.
type excerpt struct {
	mutex sync.Mutex
	bytes bytes.Buffer
	size  int
}

// Write keeps the bytes up to the limit, and counts them.
func (e *excerpt) Write(part []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.size += len(part)
	if free := keptBodyBytes - e.bytes.Len(); free > 0 {
		e.bytes.Write(part[:min(free, len(part))])
	}
	return len(part), nil
}

// String returns text as it is, and other bytes quoted.
func (e *excerpt) String() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	shown := e.bytes.String()
	if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' }) {
		shown = fmt.Sprintf("%q", shown)
	}
	if e.size > keptBodyBytes {
		shown += fmt.Sprintf("... (%d bytes)", e.size)
	}
	return shown
}

// tee returns a body whose bytes the excerpt gets as they are read.
func (e *excerpt) tee(body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, e), body}
}
