package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What the README of the example shows.
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
		{"post", func() (*http.Response, error) { return post(`{"name":"Ada"}`) }, 200, `{"greeting":"Hello, Ada!"}`},
		{"get", func() (*http.Response, error) {
			return http.Get(greet + "?encoding=json&message=" + url.QueryEscape(`{"name":"Ada"}`))
		}, 200, `{"greeting":"Hello, Ada!"}`},
		{"error", func() (*http.Response, error) { return post(`{}`) }, 400, `{"code":"invalid_argument","message":"name is required"}`},
	} {
		t.Run(call.name, func(t *testing.T) {
			answer, err := call.call()
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if body, _ := io.ReadAll(answer.Body); answer.StatusCode != call.status || string(body) != call.want {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
		})
	}
}
