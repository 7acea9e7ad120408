package main

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// barWidth is the width of one bar.
const barWidth = 14 * vg.Length(1)

var (
	floorColor  = color.RGBA{R: 0xb0, G: 0xb8, B: 0xc4, A: 0xff}
	workerColor = color.RGBA{R: 0xe8, G: 0x6a, B: 0x4a, A: 0xff}
)

// draw draws the processor time per call and the median latency, each phase beside its floor.
func (r *report) draw(path string) error {
	cpu := func(r row) float64 { return r.CPU }
	latency := func(r row) float64 { return r.P50 }
	var plots [][]*plot.Plot
	for _, chart := range []struct {
		title string
		value func(row) float64
	}{
		{"processor time of the server, microseconds per call", cpu},
		{"latency with 64 clients, median in milliseconds", latency},
	} {
		bars, err := r.barChart(chart.title, chart.value)
		if err != nil {
			return err
		}
		plots = append(plots, []*plot.Plot{bars})
	}
	image := vgsvg.New(24*vg.Centimeter, 20*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: vg.Centimeter}
	canvases := plot.Align(plots, tiles, draw.New(image))
	for i := range plots {
		plots[i][0].Draw(canvases[i][0])
	}
	return load.SaveImage(path, image)
}

func (r *report) barChart(title string, value func(row) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	var names []string
	var floors, workers plotter.Values
	for _, phase := range phases {
		row := r.find(phase.name, "proto")
		if row.Floor == "" {
			continue
		}
		letter := row.Floor[len(row.Floor)-1]
		names = append(names, fmt.Sprintf("%s\n(floor %c)", phase.name, letter))
		floors = append(floors, value(r.floorOf(row)))
		workers = append(workers, value(row))
	}
	for i, bars := range []struct {
		name   string
		values plotter.Values
		color  color.Color
	}{{"floor", floors, floorColor}, {"coral-discovery", workers, workerColor}} {
		chart, err := plotter.NewBarChart(bars.values, barWidth)
		if err != nil {
			return nil, err
		}
		chart.Color = bars.color
		chart.LineStyle.Width = 0
		chart.Offset = barWidth * vg.Length(2*i-1) / 2
		p.Add(chart)
		p.Legend.Add(bars.name, chart)
	}
	p.Legend.Top = true
	p.NominalX(names...)
	p.X.Tick.Label.Font.Size = vg.Points(7)
	return p, nil
}

// floorOf returns the row of the floor that a row was measured beside.
func (r *report) floorOf(measured row) row {
	for _, row := range r.Rows {
		key := measured.key()
		key.server = measured.Floor
		if row.key() == key {
			return row
		}
	}
	return row{}
}
