// Package geoip tells the town of a network's address from a file in MaxMind's
// format: GeoLite2 and GeoIP2 City or Country, DB-IP, or one made of registries'
// own lists. The product ships none.
package geoip

import (
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"

	"rapport/internal/fault"
	"rapport/internal/intake"
)

// DB is an open file. It is safe for many goroutines.
type DB struct{ file *maxminddb.Reader }

// record is what is read of an entry. Files of registries name the country at the
// top.
type record struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Code string `maxminddb:"country_code"`
}

// language is that of the names: what conditions are written in.
const language = "en"

// Open opens the file. A file that is none is Invalid.
func Open(path string) (*DB, error) {
	f, err := maxminddb.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the GeoIP file cannot be read: a file in MaxMind's format (.mmdb) is expected")
	}
	return &DB{f}, nil
}

// Close releases the file. Nobody may ask any more.
func (d *DB) Close() error { return d.file.Close() }

// Locate returns the town of an address; nothing if the file has none, or the
// address is no public one.
func (d *DB) Locate(a netip.Addr) (t intake.Town) {
	if !a.IsValid() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
		return t
	}
	var r record
	found := d.file.Lookup(a)
	if !found.Found() || found.Decode(&r) != nil {
		return t // a damaged entry is one that is not there
	}
	t.Country, t.City = r.Country.Code, r.City.Names[language]
	if t.Country == "" {
		t.Country = r.Code
	}
	if len(r.Subdivisions) > 0 {
		t.Region = r.Subdivisions[0].Names[language]
	}
	return t
}
