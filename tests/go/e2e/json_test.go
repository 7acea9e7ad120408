package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func postJSON(t *testing.T, worker *harness.Worker, method, body string) answer {
	t.Helper()
	return raw(t, http.MethodPost, worker.URL+procedure(method), []byte(body), "Content-Type", "application/json")
}

// people with curl write JSON in more than one way.
func TestJSONIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	for i, body := range []string{
		`{"mesh_id":%q,"pubkey":"k","endpoints":["a:1"],"connect_port":9000,"mesh_ipv4":"10.0.0.1"}`,
		`{"meshId":%q,"pubkey":"k","endpoints":["a:1"],"connectPort":"9000","meshIpv4":"10.0.0.1"}`,
		`{"meshId":%q,"pubkey":"k","endpoints":["a:1"],"connectPort":9000.0,"meshIpv4":"10.0.0.1","unknown":{"a":[1]}}`,
		`{"meshId":%q,"pubkey":"k","endpoints":["a:1"],"connectPort":9e3,"mesh_ipv4":"10.0.0.1","metadata":null,"publicEndpoint":null}`,
	} {
		id := fmt.Sprintf("m%d", i)
		if got := postJSON(t, worker, "RegisterColony", fmt.Sprintf(body, id)); got.status != http.StatusOK {
			t.Errorf("%s: %+v", body, got)
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

func TestJSONIsWrittenAsProtoJSON(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	registerColony(t, worker.Client(), everything("m"))
	got := postJSON(t, worker, "LookupColony", `{"meshId":"m"}`)
	var found map[string]any
	if err := json.Unmarshal([]byte(got.body), &found); err != nil {
		t.Fatal(err)
	}
	if found["nat"] != "NAT_CONE" || found["meshId"] != "m" || found["connectPort"] != 9000.0 {
		t.Errorf("%s", got.body)
	}
	public, _ := found["publicEndpoint"].(map[string]any)
	if public["updatedAt"] != "2026-01-02T03:04:05.000000006Z" {
		t.Errorf("%s", got.body)
	}
	// What has its default is left out.
	if _, there := found["relays"]; there {
		t.Errorf("%s", got.body)
	}
	if got := postJSON(t, worker, "Health", `{}`); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

func TestWrongJSONNamesTheField(t *testing.T) {
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
			got := postJSON(t, worker, "RegisterColony", body)
			got.wantFailure(t, http.StatusBadRequest, connect.CodeInvalidArgument, "unmarshal message")
			got.wantFailure(t, http.StatusBadRequest, connect.CodeInvalidArgument, text)
		})
	}
}
