package main

import (
	"encoding/json"
	"strconv"
	"strings"
)

// parse decodes JSON, with numbers as text. The value of invalid JSON is the error.
func parse(text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err.Error()
	}
	return value
}

// equalJSON compares two parsed values. The order of members does not matter.
func equalJSON(rust, golang any) bool {
	switch golang := golang.(type) {
	case []any:
		rust, ok := rust.([]any)
		if !ok || len(rust) != len(golang) {
			return false
		}
		for i := range golang {
			if !equalJSON(rust[i], golang[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		rust, ok := rust.(map[string]any)
		if !ok {
			return false
		}
		for name, member := range golang {
			rustMember, ok := rust[name]
			if ok && !equalJSON(rustMember, member) || !ok && member != negativeZero {
				return false
			}
		}
		for name := range rust {
			if _, ok := golang[name]; !ok {
				return false
			}
		}
		return true
	case json.Number:
		rust, ok := rust.(json.Number)
		return ok && (rust == golang || isTie(rust.String(), golang.String()))
	default:
		return rust == golang
	}
}

// negativeZero is omitted from binary by prost, like any other zero.
const negativeZero = json.Number("-0")

// isTie returns true if two texts are the shortest forms of one float that lies exactly between
// them. Versions of Go differ in which one they write.
func isTie(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, bits := range []int{32, 64} {
		x, errX := strconv.ParseFloat(a, bits)
		y, errY := strconv.ParseFloat(b, bits)
		if errX == nil && errY == nil && x == y {
			exact := digits(strconv.FormatFloat(x, 'e', 60, 64))
			return strings.HasSuffix(exact, "5") && len(exact) == len(digits(a))+1
		}
	}
	return false
}

// digits returns the significant digits of a number.
func digits(number string) string {
	mantissa, _, _ := strings.Cut(number, "e")
	return strings.Trim(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""), "0")
}
