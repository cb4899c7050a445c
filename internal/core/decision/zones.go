package decision

import (
	"embed"
	"slices"
	"strings"
	"time"

	"rapport/internal/fault"
)

// The tables of the package: time zones, countries and legal windows. They are
// data with their sources, not code.
//
//go:embed data/*.txt
var tables embed.FS

// rows returns the lines of an embedded table without remarks.
func rows(name string) []string {
	text, err := tables.ReadFile("data/" + name)
	if err != nil {
		panic("decision: the embedded table " + name + " is missing")
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// zoneNames are the names of all time zones, sorted.
var zoneNames = rows("zones.txt")

func zoneKnown(name string) bool {
	_, ok := slices.BinarySearch(zoneNames, name)
	return ok
}

// country is one country with the zones that keep a time of their own.
type country struct {
	code  string
	zones []string
}

// countries holds the countries by code; countryCodes the codes by name in
// small letters.
var countries, countryCodes = readCountries()

func readCountries() (map[string]country, map[string]string) {
	byCode, byName := map[string]country{}, map[string]string{}
	for _, line := range rows("countries.txt") {
		f := strings.Split(line, "|")
		byCode[f[0]] = country{f[0], strings.Fields(f[2])}
		byName[strings.ToLower(f[0])] = f[0]
		for _, name := range strings.Split(f[1], ";") {
			byName[strings.ToLower(name)] = f[0]
		}
	}
	return byCode, byName
}

// CountryCode returns the two letters of a country given by them or by its
// English name; empty if there is no such country.
func CountryCode(s string) string { return countryCodes[strings.ToLower(strings.TrimSpace(s))] }

// Zones are the rules of all time zones, read once: the core itself reads
// nothing. Zones is immutable and may be shared by any number of gates.
type Zones struct {
	byName    map[string]*time.Location
	byCountry map[string][]*time.Location
}

// LoadZones reads the rules of all time zones with load, which is
// time.LoadLocation outside tests. It takes some ten milliseconds. A zone that
// load does not know is left out; if it knows none, the error is Unavailable.
// A binary that imports time/tzdata never depends on the machine.
func LoadZones(load func(name string) (*time.Location, error)) (*Zones, error) {
	z := &Zones{map[string]*time.Location{}, map[string][]*time.Location{}}
	for _, name := range zoneNames {
		if loc, err := load(name); err == nil {
			z.byName[name] = loc
		}
	}
	if len(z.byName) < 2 {
		return nil, fault.New(fault.Unavailable, "there is no time zone database: import time/tzdata, or install tzdata")
	}
	// order does not matter: each country fills its own entry.
	for code, c := range countries {
		for _, name := range c.zones {
			if loc := z.byName[name]; loc != nil {
				z.byCountry[code] = append(z.byCountry[code], loc)
			}
		}
	}
	return z, nil
}

// Zone returns the rules of a time zone by its IANA name; nil if it is unknown.
func (z *Zones) Zone(name string) *time.Location {
	if z == nil {
		return nil
	}
	return z.byName[name]
}
