package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// The example's README shows these calls.
func TestExampleServesItsProto(t *testing.T) {
	t.Parallel()
	worker := harness.StartExample(t, "examples/greeter")
	greet := worker.URL + "/greeter.v1.GreeterService/Greet"
	post := func(body string) (*http.Response, error) {
		return http.Post(greet, "application/json", strings.NewReader(body))
	}
	for _, call := range []struct {
		name   string
		call   func() (*http.Response, error)
		status int
		want   string
	}{
		{"POST", func() (*http.Response, error) { return post(`{"name":"Ada"}`) }, 200,
			`{"greeting":"Hello, Ada!"}`},
		{"GET", func() (*http.Response, error) {
			return http.Get(greet + "?encoding=json&message=" + url.QueryEscape(`{"name":"Ada"}`))
		}, 200, `{"greeting":"Hello, Ada!"}`},
		{"error", func() (*http.Response, error) { return post(`{}`) }, 400,
			`{"code":"invalid_argument","message":"name is required"}`},
	} {
		t.Run(call.name, func(t *testing.T) {
			response, err := call.call()
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != call.status || string(body) != call.want {
				t.Errorf("%d %s", response.StatusCode, body)
			}
		})
	}
}
