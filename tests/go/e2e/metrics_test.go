package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// dataPoint is a data point of Analytics Engine. docs/queries.md documents its columns.
type dataPoint struct {
	Indexes, Blobs []string
	Doubles        []float64
}

// blobCount is the number of blobs of a data point.
const blobCount = 9

// waitForPoints waits for a data point of each method, and returns the last one of each.
func waitForPoints(
	t *testing.T, worker *harness.Worker, methods ...string,
) map[string]dataPoint {
	t.Helper()
	points := map[string]dataPoint{}
	description := "data points of " + strings.Join(methods, ", ")
	harness.Eventually(t, testTimeout, description, func() bool {
		for _, line := range worker.Lines() {
			var written struct{ Point dataPoint }
			if json.Unmarshal([]byte(line), &written) == nil &&
				len(written.Point.Blobs) == blobCount {
				points[written.Point.Blobs[0]] = written.Point
			}
		}
		isMissing := func(method string) bool { return points[method].Blobs == nil }
		return !slices.ContainsFunc(methods, isMissing)
	})
	return points
}

func TestOnCloudflareEachRequestWritesADataPoint(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "SERVICE_VERSION=1.2.3-test")
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ipcountry", "DE", "Cf-Ray", "1-FRA")
	jsonClient := worker.Client(connect.WithProtoJSON())
	_, err := lookupColony(t, jsonClient, "unknown", "Cf-Ipcountry", "JP", "Cf-Ray", "2-NRT")
	wantError(t, err, connect.CodeNotFound)
	points := waitForPoints(t, worker, "RegisterColony", "LookupColony")
	for _, test := range []struct {
		method string
		blobs  []string
		status float64
	}{
		{"RegisterColony", []string{"RegisterColony", "", "proto", "", "DE", "FRA"}, 200},
		{"LookupColony", []string{"LookupColony", "not_found", "json", "object", "JP", "NRT"}, 404},
	} {
		point := points[test.method]
		if !slices.Equal(point.Blobs[:6], test.blobs) || point.Indexes[0] != test.method {
			t.Errorf("%+v, want %v", point, test.blobs)
		}
		if version, mesh := point.Blobs[6], point.Blobs[7]; version == "" || len(mesh) != 16 {
			t.Errorf("version %q, mesh %q", version, mesh)
		}
		doubles := point.Doubles
		if len(doubles) != 5 || doubles[2] < 1 || doubles[3] < 1 || doubles[4] != test.status {
			t.Errorf("%s: %v", test.method, doubles)
		}
	}
}
