package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// postJSON makes a call in JSON as curl does, with headers as name, value, name, value.
func postJSON(
	t *testing.T, worker *harness.Worker, method, body string, headers ...string,
) httpResponse {
	t.Helper()
	headers = append(headers, "Content-Type", "application/json")
	return sendHTTP(t, http.MethodPost, worker.URL+procedure(method), []byte(body), headers...)
}

// Names may be camelCase or snake_case, numbers may be strings, and unknown fields are ignored.
func TestJSONInputForms(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	const common = `{"pubkey":"k","endpoints":["a:1"],`
	for i, body := range []string{
		common + `"mesh_id":%q,"connect_port":9000,"mesh_ipv4":"10.0.0.1"}`,
		common + `"meshId":%q,"connectPort":"9000","meshIpv4":"10.0.0.1"}`,
		common + `"meshId":%q,"connectPort":9000.0,"meshIpv4":"10.0.0.1","unknown":{"a":[1]}}`,
		common + `"meshId":%q,"connectPort":9e3,"mesh_ipv4":"10.0.0.1","metadata":null,` +
			`"publicEndpoint":null}`,
	} {
		id := fmt.Sprintf("m%d", i)
		response := postJSON(t, worker, "RegisterColony", fmt.Sprintf(body, id))
		if response.status != http.StatusOK {
			t.Errorf("%s: %+v", body, response)
			continue
		}
		found, err := lookupColony(t, worker.Client(), id)
		if err != nil {
			t.Fatal(err)
		}
		if found.GetConnectPort() != 9000 || found.GetMeshIpv4() != "10.0.0.1" {
			t.Errorf("%s: found %v", body, found)
		}
	}
}

func TestJSONOutputIsProtoJSON(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	registerColony(t, worker.Client(), fullColony("m"))
	response := postJSON(t, worker, "LookupColony", `{"meshId":"m"}`)
	var found map[string]any
	if err := json.Unmarshal([]byte(response.body), &found); err != nil {
		t.Fatal(err)
	}
	publicEndpoint, _ := found["publicEndpoint"].(map[string]any)
	for _, test := range []struct {
		field     string
		got, want any
	}{
		{"nat", found["nat"], "NAT_CONE"},
		{"meshId", found["meshId"], "m"},
		{"connectPort", found["connectPort"], 9000.0},
		{"updatedAt", publicEndpoint["updatedAt"], "2026-01-02T03:04:05.000000006Z"},
		{"relays: a default value is omitted", found["relays"], nil},
	} {
		if test.got != test.want {
			t.Errorf("%s is %v, want %v", test.field, test.got, test.want)
		}
	}
	if response := postJSON(t, worker, "Health", `{}`); response.status != http.StatusOK {
		t.Errorf("%+v", response)
	}
}

func TestInvalidJSONNamesTheField(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	for body, text := range map[string]string{
		`{"mesh_id":1}`:                                    "mesh_id",
		`{"endpoints":"a:1"}`:                              "endpoints",
		`{"endpoints":["a:1",2]}`:                          "endpoints[1]",
		`{"connectPort":"many"}`:                           "connectPort",
		`{"connectPort":-1}`:                               "connectPort",
		`{"connectPort":4294967296}`:                       "connectPort",
		`{"connectPort":1.5}`:                              "connectPort",
		`{"metadata":{"a":1}}`:                             "metadata",
		`{"observedEndpoint":{"port":"x"}}`:                "observedEndpoint.port",
		`{"publicEndpoint":{"caFingerprint":{"value":1}}}`: "publicEndpoint.caFingerprint.value",
		`{"publicEndpoint":{"updatedAt":"yesterday"}}`:     "publicEndpoint.updatedAt",
		`[]`:   "",
		`"m"`:  "",
		`null`: "",
	} {
		t.Run(body, func(t *testing.T) {
			response := postJSON(t, worker, "RegisterColony", body)
			for _, text := range []string{"unmarshal message", text} {
				response.wantConnectError(t,
					http.StatusBadRequest, connect.CodeInvalidArgument, text)
			}
		})
	}
}
