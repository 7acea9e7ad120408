package main

import (
	"encoding/json"
	"strconv"
	"strings"
)

// parse reads JSON with its numbers as they are written.
func parse(text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err.Error()
	}
	return value
}

// sameJSON compares what was parsed, all but the order of members.
func sameJSON(ours, theirs any) bool {
	switch theirs := theirs.(type) {
	case []any:
		ours, ok := ours.([]any)
		if !ok || len(ours) != len(theirs) {
			return false
		}
		for i := range theirs {
			if !sameJSON(ours[i], theirs[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		ours, ok := ours.(map[string]any)
		if !ok {
			return false
		}
		for name, member := range theirs {
			our, ok := ours[name]
			if ok && !sameJSON(our, member) || !ok && member != negativeZero {
				return false
			}
		}
		for name := range ours {
			if _, ok := theirs[name]; !ok {
				return false
			}
		}
		return true
	case json.Number:
		ours, ok := ours.(json.Number)
		return ok && (ours == theirs || isTie(ours.String(), theirs.String()))
	default:
		return ours == theirs
	}
}

// negativeZero is left out of binary by prost like any other zero.
const negativeZero = json.Number("-0")

// isTie tells whether two texts are the shortest for one float that lies exactly between them: which
// of them it is has changed between versions of Go.
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

// digits are those of a number that count, without point, exponent and zeros at either end.
func digits(number string) string {
	mantissa, _, _ := strings.Cut(number, "e")
	return strings.Trim(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""), "0")
}
