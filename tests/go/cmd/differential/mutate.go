package main

import (
	"regexp"
	"strings"
)

// token matches values and names in JSON.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null`)

// values replace other values.
var values = []string{
	"null", "true", "false", "0", "1", "-1", "1.0", "1.5", "1e3", "1E+2", "10e-1", "1e-1", "1e400",
	"-1e400", "3.5e38", "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296",
	"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
	"9007199254740993", "9007199254740993.0", "1e18", "0.0000001", `""`, `"a"`, `"1"`, `"-1"`,
	`"1.0"`, `"1e3"`, `" 1"`, `"1 "`, `"+1"`, `"01"`, `"0x1"`, `"1.5"`, `"NaN"`, `"Infinity"`,
	`"-Infinity"`, `"inf"`, `"nan"`, `"true"`, `"null"`, `"AQID"`, `"AQI="`, `"AQI"`, `"-_8="`,
	`"-_8"`, `"+/8="`, `"+_8="`, `"A"`, `"AQ=="`, `"AQ"`, `"A Q"`, `"AR=="`, `"KIND_ONE"`,
	`"KIND_MISSING"`, `"kind_one"`, `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.5+01:30"`,
	`"2026-01-02"`, `"2026-01-02t03:04:05z"`, `"2026-01-02T03:04:05.1234567890Z"`,
	`"2026-02-30T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"0000-12-31T23:59:59Z"`,
	`"9999-12-31T23:59:59.999999999Z"`, `"2026-01-02T24:00:00Z"`, `"2026-01-02T03:04:05"`, `"1s"`,
	`"1.5s"`, `"-1.5s"`, `".5s"`, `"1.s"`, `"01s"`, `"1e1s"`, `"315576000001s"`, `"1.0000000001s"`,
	`"s"`, `"a,b"`, `"aB.cD"`, `"a_b"`, `"a,"`, "[]", "{}", "[1]", `["a"]`, "[null]", "[[]]",
	`{"a":1}`, `{"1":1}`, `{"true":1}`, `{"a":null}`, `{"1":"1","1":"2"}`,
	`{"name":"x","number":"7"}`, `"\u00e9\ud834\udd1e"`,
	`{"@type":"type.googleapis.com/google.protobuf.Duration","value":"2s"}`,
	`{"@type":"type.googleapis.com/google.protobuf.Empty"}`,
	`{"@type":"x/differential.v1.Everything","anInt32":1,"x":2}`, `{"@type":1}`,
	`{"@type":"a.Missing"}`, `{"value":"1s"}`,
}

// names replace other names.
var names = []string{
	`"unknown"`, `"kind"`, `"anInt32"`, `"an_int32"`, `"choiceString"`, `"value"`, `"1"`, `"true"`,
}

// mutate changes a few values, names or characters of JSON.
func (c *comparison) mutate(text string) string {
	for range 1 + c.random.IntN(3) {
		places := token.FindAllStringIndex(text, -1)
		if len(places) == 0 {
			return pick(c, values...)
		}
		place := places[c.random.IntN(len(places))]
		before, found, after := text[:place[0]], text[place[0]:place[1]], text[place[1]:]
		isName := strings.HasPrefix(after, ":")
		switch choice := c.random.IntN(10); {
		case isName && choice < 3:
			text = before + pick(c, names...) + after
		case isName && choice < 5:
			text = before + found + ":" + pick(c, values...) + "," + found + after
		case isName:
			text = before + snakeCase(found) + after
		case choice < 8:
			text = before + pick(c, values...) + after
		case choice == 8:
			text = before + after
		default:
			at := c.random.IntN(len(text))
			character := pick(c, "", " ", ",", "}", "]", `"`, "\\", "\n", "1", ".")
			text = text[:at] + character + text[at+1:]
		}
	}
	return text
}

// lenientNumber matches numbers that only Go accepts: a number in a string with text after it, and
// an exponent without digits.
var lenientNumber = regexp.MustCompile(`"-?\d[\d.eE+-]*[^"\d.eE+-][^"]*"|\d[eE][+-]?(\D|$)`)

// unknownChoice matches a member of a oneof whose enum may lack the value's name. Such a member is
// ignored, but Go counts it as the oneof's one member.
var unknownChoice = regexp.MustCompile(`"choice_?[kK]ind":\s*"`)

// snakeCase converts a JSON name to the name in the proto.
func snakeCase(name string) string {
	return regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(name, func(letter string) string {
		return "_" + strings.ToLower(letter)
	})
}
