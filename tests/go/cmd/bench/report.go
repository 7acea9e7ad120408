package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the result of a run.
type report struct {
	Rounds      int           `json:"rounds"`
	Rows        []row         `json:"rows"`
	BundleBytes int64         `json:"bundle_gzip_bytes"`
	StartA      time.Duration `json:"start_floor_a_ns"`
	Start       time.Duration `json:"start_ns"`
	Verdicts    []verdict     `json:"verdicts"`
}

// verdict compares a result with its target.
type verdict struct {
	Target string  `json:"target"`
	Limit  float64 `json:"limit"`
	Found  float64 `json:"found"`
	Met    bool    `json:"met"`
}

// judge compares the results with the targets.
func (r *report) judge() {
	add := func(target string, limit, found float64) {
		r.Verdicts = append(r.Verdicts, verdict{target, limit, found, found <= limit})
	}
	for _, target := range []struct {
		phase string
		limit float64
	}{
		{"lookup, uncached", 1.25},
		{"lookup, hot", 1.3},
		{"renewal", 1.2},
		{"first registration", 1.2},
		{"unknown key", 1},
		{"Health", 1.3},
	} {
		json, proto := r.find(target.phase, "json"), r.find(target.phase, "proto")
		if json.Ratio == 0 {
			continue
		}
		name := fmt.Sprintf("%s: CPU to %s", target.phase, json.Floor)
		add(name+", json", target.limit, json.Ratio)
		add(name+", proto", target.limit, proto.Ratio)
		if target.phase == "lookup, uncached" || target.phase == "renewal" {
			add(target.phase+": CPU of json to proto", 1.3, json.CPU/proto.CPU)
		}
	}
	add("bundle, gzip: KB", 200, float64(r.BundleBytes)/1000)
	add("start to first response: ms more than floor A", 50, (r.Start-r.StartA).Seconds()*1000)
	errors := 0
	for _, row := range r.Rows {
		errors += row.Errors
	}
	add("errors", 0, float64(errors))
}

// find returns the row by which a phase is compared: 64 clients of connect-go, uniform keys, an
// object for each lease.
func (r *report) find(phase, codec string) row {
	for _, row := range r.Rows {
		if row.Phase == phase && row.Codec == codec && row.Clients == 64 && row.Keys == "uniform" &&
			row.Client == connectGo && row.Floor != "" && row.Server != shards &&
			!row.Server.isBefore() {
			return row
		}
	}
	return row{}
}

// table formats the rows as a Markdown table.
func (r *report) table() string {
	var text strings.Builder
	writer := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(writer, "| phase\t| server\t| codec\t| keys\t| clients\t|\t| calls/s\t"+
		"| p50\t| p95\t| p99\t| max ms\t| CPU us/call\t| RSS MiB\t| to floor\t| to before\t|")
	fmt.Fprintln(writer, strings.Repeat("|---\t", 15)+"|")
	for _, row := range r.Rows {
		fmt.Fprintf(writer, "| %s\t| %s\t| %s\t| %s\t| %d\t| %s\t| %.0f\t", row.Phase, row.Server,
			row.Codec, row.Keys, row.Clients, row.Client, row.PerSecond)
		fmt.Fprintf(writer, "| %.1f\t| %.1f\t| %.1f\t| %.1f\t| %.0f\t| %.0f\t| %s\t| %s\t|\n",
			row.P50, row.P95, row.P99, row.Max, row.CPU, row.RSS,
			ratio(row.Ratio), ratio(row.ToBefore))
	}
	_ = writer.Flush()
	return text.String()
}

// ratio formats a ratio, which is 0 where nothing was compared.
func ratio(value float64) string {
	if value == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", value)
}

// verdicts formats the verdicts, and in the last line how many targets are met.
func (r *report) verdicts() string {
	var text strings.Builder
	met := 0
	for _, v := range r.Verdicts {
		mark := "MISSED"
		if v.Met {
			mark = "met"
			met++
		}
		fmt.Fprintf(&text, "%-55s %8.2f of %7.2f  %s\n", v.Target, v.Found, v.Limit, mark)
	}
	fmt.Fprintf(&text, "%d of %d targets met", met, len(r.Verdicts))
	return text.String()
}

// write writes all results to a file, as JSON.
func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
