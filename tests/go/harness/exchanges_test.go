package harness

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestExchangesShowTheLastRequestsAndResponses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "response to ", r.URL.Path, strings.Repeat(".", 2*keptBodyBytes))
	}))
	defer server.Close()
	for i := range keptExchanges + 2 {
		response, err := http.Post(fmt.Sprint(server.URL, "/", i), "text/plain",
			strings.NewReader(fmt.Sprint("request ", i)))
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, response)
	}
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	text := exchanges.text(address.Host)
	for _, wanted := range []string{
		"> POST /11 map[Content-Type:[text/plain]]\n> request 11\n< 200 OK", "response to /2.",
		fmt.Sprintf("(%d bytes)", len("response to /11")+2*keptBodyBytes),
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("no %q in:\n%s", wanted, text)
		}
	}
	if strings.Contains(text, "/1 map") {
		t.Errorf("more than %d exchanges are kept:\n%s", keptExchanges, text)
	}
}

func TestExchangesShowBytesQuotedAndFailures(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.Listener.Addr().String()
	server.Close()
	_, err := http.Post("http://"+address, "application/proto", strings.NewReader("\x0a\x01"))
	if err == nil {
		t.Fatal("a closed server responds")
	}
	if text := exchanges.text(address); !strings.Contains(text, "no response: ") {
		t.Error(text)
	}
	var body excerpt
	fmt.Fprint(&body, "\x0a\x01a")
	if got := body.String(); got != `"\n\x01a"` {
		t.Error(got)
	}
}

func readAll(t *testing.T, response *http.Response) {
	t.Helper()
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}
