package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// wire looks at what is below the clients: paths and errors as curl sees them.
func (d deployment) wire(r *report) {
	r.check("/health is 200, for load balancers", "", func() error {
		status, _, err := d.get("/health")
		if err != nil {
			return err
		}
		return want("status", status, http.StatusOK)
	})
	r.check("the key set is there", "", func() error {
		keys, _, err := bootstraptoken.Fetch(d.http, d.url)
		if err == nil && len(keys) == 0 {
			err = skipped("it is empty: DISCOVERY_SIGNING_KEY")
		}
		return err
	})
	for _, wrong := range []struct {
		what, method, contentType, body string
		status                          int
		code, text                      string
	}{
		{"JSON that is none is an error that says so", "LookupColony", "application/json", "{", 400, "invalid_argument", ""},
		{"a field that is missing is named", "LookupColony", "application/json", "{}", 400, "invalid_argument", "mesh_id"},
		{"an unknown colony is 404 with a code", "LookupColony", "application/json", `{"meshId":"` + d.id("nobody") + `"}`, 404, "not_found", "not found"},
		{"bytes that are no message are an error", "LookupColony", "application/proto", "\xff\xff", 400, "invalid_argument", ""},
		{"another codec is refused", "LookupColony", "text/plain", "", 415, "", ""},
		{"an unknown method is refused", "Nothing", "application/json", "{}", 404, "", ""},
	} {
		r.check(wrong.what, "", func() error {
			status, body, err := d.post(wrong.method, wrong.contentType, wrong.body)
			if err != nil {
				return err
			}
			if err := want("status", status, wrong.status); err != nil || wrong.code == "" {
				return err
			}
			var told struct{ Code, Message string }
			if err := json.Unmarshal(body, &told); err != nil {
				return err
			}
			if told.Code != wrong.code || !strings.Contains(told.Message, wrong.text) {
				return fmt.Errorf("it says %+v, want %s with %q", told, wrong.code, wrong.text)
			}
			return nil
		})
	}
}

func (d deployment) get(path string) (int, []byte, error) {
	answer, err := d.http.Get(d.url + path)
	return read(answer, err)
}

func (d deployment) post(method, contentType, body string) (int, []byte, error) {
	url := d.url + "/" + discoveryv1connect.DiscoveryServiceName + "/" + method
	answer, err := d.http.Post(url, contentType, strings.NewReader(body))
	return read(answer, err)
}

// longest is how much of an answer is looked at, in bytes.
const longest = 1 << 20

func read(answer *http.Response, err error) (int, []byte, error) {
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longest))
	return answer.StatusCode, body, err
}
