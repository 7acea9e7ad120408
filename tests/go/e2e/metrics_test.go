package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// point is what is written to Analytics Engine.
type point struct {
	Indexes, Blobs []string
	Doubles        []float64
}

// points waits for a data point of each of the methods, and returns the last of each.
func points(t *testing.T, worker *harness.Worker, methods ...string) map[string]point {
	t.Helper()
	points := map[string]point{}
	harness.Eventually(t, patience, "points of "+strings.Join(methods, ", "), func() bool {
		for _, line := range worker.Lines() {
			var written struct{ Point point }
			if json.Unmarshal([]byte(line), &written) == nil && len(written.Point.Blobs) == 9 {
				points[written.Point.Blobs[0]] = written.Point
			}
		}
		return !slices.ContainsFunc(methods, func(method string) bool { return points[method].Blobs == nil })
	})
	return points
}

// Columns are those of docs/queries.md.
func TestOnCloudflareEachRequestIsADataPoint(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "SERVICE_VERSION=1.2.3-test")
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ipcountry", "DE", "Cf-Ray", "1-FRA")
	_, err := lookupColony(t, worker.Client(connect.WithProtoJSON()), "unknown", "Cf-Ipcountry", "JP", "Cf-Ray", "2-NRT")
	wantError(t, err, connect.CodeNotFound)
	points := points(t, worker, "RegisterColony", "LookupColony")
	registered, missed := points["RegisterColony"], points["LookupColony"]
	for _, want := range []struct {
		point         point
		blobs         [6]string
		status, inMin float64
	}{
		{registered, [6]string{"RegisterColony", "", "proto", "", "DE", "FRA"}, 200, 1},
		{missed, [6]string{"LookupColony", "not_found", "json", "object", "JP", "NRT"}, 404, 1},
	} {
		if [6]string(want.point.Blobs) != want.blobs || want.point.Indexes[0] != want.blobs[0] {
			t.Errorf("%+v, want %v", want.point, want.blobs)
		}
		if version, mesh := want.point.Blobs[6], want.point.Blobs[7]; version == "" || len(mesh) != 16 {
			t.Errorf("version %q, mesh %q", version, mesh)
		}
		if doubles := want.point.Doubles; len(doubles) != 5 || doubles[2] < want.inMin || doubles[3] < 1 || doubles[4] != want.status {
			t.Errorf("%v", doubles)
		}
	}
}
