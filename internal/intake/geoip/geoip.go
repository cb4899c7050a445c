// Package geoip tells the town of a network's address from a file in MaxMind's
// format: GeoLite2 and GeoIP2 City or Country, DB-IP, or one made of registries'
// own lists. The product ships none.
package geoip

import (
	"cmp"
	"errors"
	"net/netip"
	"strconv"

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

func (r *record) country() string { return cmp.Or(r.Country.Code, r.Code) }

// language is that of the names: what conditions are written in.
const language = "en"

// Open opens the file. A file that is none, is damaged or tells no country is Invalid.
func Open(path string) (*DB, error) {
	f, err := maxminddb.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the GeoIP file cannot be read: a file in MaxMind's format (.mmdb) is expected")
	}
	if err := check(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &DB{f}, nil
}

// looks is how many networks are looked at for one that has a country.
const looks = 20_000

// check looks at an address of each /8, and at networks until one tells a country: a
// file of another kind, such as of networks' owners, would tell nobody's town for ever,
// and nobody would know why.
func check(f *maxminddb.Reader) error {
	var r record
	damaged := func(err error) error {
		return fault.Wrap(fault.Invalid, err, "the GeoIP file is damaged: fetch it again")
	}
	for first := byte(1); first < 224; first++ {
		r = record{}
		found := f.Lookup(netip.AddrFrom4([4]byte{first, 2, 69, 142}))
		if err := found.Err(); err != nil {
			return damaged(err)
		}
		if err := found.Decode(&r); found.Found() && err != nil {
			return damaged(err)
		}
		if r.country() != "" {
			return nil
		}
	}
	n := 0
	for network := range f.Networks() {
		r = record{}
		if err := network.Decode(&r); err != nil {
			return damaged(err)
		}
		if n++; r.country() != "" {
			return nil
		}
		if n == looks {
			break
		}
	}
	return fault.New(fault.Invalid, "the GeoIP file tells no country: it is of the kind "+strconv.Quote(f.Metadata.DatabaseType)+", and one of countries or towns is expected, such as GeoLite2-City")
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
	t.Country, t.City = r.country(), r.City.Names[language]
	if len(r.Subdivisions) > 0 {
		t.Region = r.Subdivisions[0].Names[language]
	}
	return t
}
