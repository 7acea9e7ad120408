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

// checkHTTP checks paths and errors without a Connect client.
func (d deployment) checkHTTP(r *report) {
	r.check("/health has status 200", "", func() error {
		status, _, err := d.get("/health")
		if err != nil {
			return err
		}
		return want("status", status, http.StatusOK)
	})
	r.check("the key set has keys", "", func() error {
		keys, _, err := bootstraptoken.FetchKeys(d.http, d.url)
		if err == nil && len(keys) == 0 {
			err = skipped("DISCOVERY_SIGNING_KEY is not set")
		}
		return err
	})
	for _, test := range []struct {
		name, method, contentType, body string
		status                          int
		code, text                      string
	}{
		{"invalid JSON is invalid_argument", "LookupColony", "application/json", "{",
			400, "invalid_argument", ""},
		{"a missing field is named", "LookupColony", "application/json", "{}",
			400, "invalid_argument", "mesh_id"},
		{"an unknown colony is not_found", "LookupColony", "application/json",
			`{"meshId":"` + d.id("unknown") + `"}`, 404, "not_found", "not found"},
		{"invalid binary is invalid_argument", "LookupColony", "application/proto", "\xff\xff",
			400, "invalid_argument", ""},
		{"an unknown codec is rejected", "LookupColony", "text/plain", "", 415, "", ""},
		{"an unknown method is rejected", "Unknown", "application/json", "{}", 404, "", ""},
	} {
		r.check(test.name, "", func() error {
			status, body, err := d.post(test.method, test.contentType, test.body)
			if err != nil {
				return err
			}
			if err := want("status", status, test.status); err != nil || test.code == "" {
				return err
			}
			var got struct{ Code, Message string }
			if err := json.Unmarshal(body, &got); err != nil {
				return err
			}
			if got.Code != test.code || !strings.Contains(got.Message, test.text) {
				return fmt.Errorf("error %+v, want %s with %q", got, test.code, test.text)
			}
			return nil
		})
	}
}

func (d deployment) get(path string) (int, []byte, error) {
	response, err := d.http.Get(d.url + path)
	return read(response, err)
}

func (d deployment) post(method, contentType, body string) (int, []byte, error) {
	url := d.url + "/" + discoveryv1connect.DiscoveryServiceName + "/" + method
	response, err := d.http.Post(url, contentType, strings.NewReader(body))
	return read(response, err)
}

// maxBodyBytes bounds the body of a response.
const maxBodyBytes = 1 << 20

func read(response *http.Response, err error) (int, []byte, error) {
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBodyBytes))
	return response.StatusCode, body, err
}
