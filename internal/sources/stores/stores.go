// Package stores reads lists of stores as shops have them: a CSV with a header, a
// JSON array, or JSON lines, gzip or not. What comes out are lines of definitions,
// which program checks like everything that somebody writes by hand.
package stores

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"rapport/internal/core/place"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// maxBytes bounds a list, unpacked: fifty thousand stores have thirty megabytes.
const maxBytes = 64 << 20

// Options say what the file leaves out.
type Options struct {
	Zone    string // of stores that name none; empty: the shop's
	Country string // of stores that name none
	Fence   string // around stores that name none: "300m"; empty: none
}

// names are how lists call what a store has, in small letters without blanks, dots
// and underscores; the first that is there holds.
var names = map[string][]string{
	"store": {"store", "storeid", "id", "storenumber", "number", "code"}, "name": {"name", "storename", "title", "longname"}, "kind": {"kind", "type", "storetype", "format"},
	"lat": {"lat", "latitude", "locationlat", "geolat", "y"}, "lon": {"lon", "lng", "long", "longitude", "locationlon", "locationlng", "geolon", "x"},
	"street": {"street", "address", "address1", "streetaddress"}, "city": {"city", "town", "locality"}, "region": {"region", "state", "province", "county", "fullstate"},
	"postal": {"postal", "zip", "postcode", "postalcode", "zipcode"}, "country": {"country", "countrycode"}, "phone": {"phone", "telephone", "tel"},
	"zone": {"zone", "timezone", "tz"}, "hours": {"hours", "openinghours", "opening"}, "stock": {"stock", "stocklocation", "locationid", "warehouse"}, "fence": {"fence", "radius"},
}

func plain(s string) string {
	return strings.NewReplacer(" ", "", "_", "", ".", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// Read reads a list. The error is Invalid and says where.
func Read(in io.Reader, o Options) ([]program.StoreLine, error) {
	b := bufio.NewReader(in)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file begins like gzip and cannot be unpacked")
		}
		defer z.Close()
		b = bufio.NewReader(z)
	}
	body, err := io.ReadAll(io.LimitReader(b, maxBytes+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	if len(body) > maxBytes {
		return nil, fault.New(fault.TooLarge, "the list of stores is longer than "+strconv.Itoa(maxBytes>>20)+" MB")
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var rows []map[string]any
	switch {
	case len(body) == 0:
		return nil, fault.New(fault.Invalid, "the file is empty")
	case body[0] == '[' || body[0] == '{':
		rows, err = readJSON(body)
	default:
		rows, err = readCSV(body)
	}
	if err != nil {
		return nil, err
	}
	list := make([]program.StoreLine, len(rows))
	for i, row := range rows {
		if list[i], err = line(row, o); err != nil {
			_, why := fault.Of(err)
			return nil, fault.New(fault.Invalid, "store "+strconv.Itoa(i+1)+" of the list: "+why)
		}
	}
	return list, nil
}

func readJSON(body []byte) (rows []map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the list is no JSON after "+strconv.Itoa(len(rows))+" stores")
		}
		items, isList := v.([]any)
		if !isList {
			items = []any{v}
		}
		for _, item := range items {
			o, ok := item.(map[string]any)
			if !ok || len(rows) == place.MaxStores {
				return nil, fault.New(fault.Invalid, "a list of at most "+strconv.Itoa(place.MaxStores)+" objects is expected")
			}
			row := map[string]any{}
			flatten(row, "", o)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// flatten brings {"location": {"lat": 1}} to "locationlat".
func flatten(row map[string]any, prefix string, o map[string]any) {
	for key, v := range o {
		name := prefix + plain(key)
		if inner, ok := v.(map[string]any); ok && name != "hours" && name != "openinghours" {
			flatten(row, name, inner)
			continue
		}
		row[name] = v
	}
}

func readCSV(body []byte) (rows []map[string]any, err error) {
	r := csv.NewReader(bytes.NewReader(body))
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	all, err := r.ReadAll()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the list is no CSV: "+err.Error())
	}
	if len(all) > place.MaxStores+1 {
		return nil, fault.New(fault.TooLarge, "there are more than "+strconv.Itoa(place.MaxStores)+" stores")
	}
	for _, record := range all[1:] {
		row := map[string]any{}
		for i, name := range all[0] {
			if v := strings.TrimSpace(record[i]); v != "" {
				row[plain(name)] = v
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func line(row map[string]any, o Options) (s program.StoreLine, err error) {
	text := func(field string) string {
		for _, name := range names[field] {
			switch v := row[name].(type) {
			case string:
				if v = strings.TrimSpace(v); v != "" {
					return v
				}
			case json.Number:
				return v.String()
			}
		}
		return ""
	}
	or := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	s = program.StoreLine{
		Store: text("store"), Name: text("name"), Kind: text("kind"), Lat: json.Number(text("lat")), Lon: json.Number(text("lon")), Street: text("street"), City: text("city"),
		Region: text("region"), Postal: text("postal"), Country: or(text("country"), o.Country), Phone: text("phone"), Zone: or(text("zone"), o.Zone), Stock: text("stock"), Fence: or(text("fence"), o.Fence),
	}
	if s.Store == "" || s.Lat == "" || s.Lon == "" {
		return s, fault.New(fault.Invalid, "it has no id, latitude and longitude: columns such as id, lat and lon")
	}
	if list, ok := row["services"].([]any); ok {
		for _, v := range list {
			if t, ok := v.(string); ok && strings.TrimSpace(t) != "" {
				s.Services = append(s.Services, strings.TrimSpace(t))
			}
		}
	}
	for _, name := range names["hours"] {
		switch v := row[name].(type) {
		case map[string]any:
			s.Hours = map[string]string{}
			for day, spans := range v {
				if t, ok := spans.(string); ok {
					s.Hours[strings.ToLower(day)] = t
				}
			}
			return s, nil
		case string:
			s.Hours, err = Hours(v)
			return s, err
		}
	}
	return s, nil
}

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// Hours reads a week as people write it: "Mon: 10-9; Tue: 10-9:30; Sun: closed". A
// closing time that is not after the opening time is one of the afternoon: a store
// that is open from 10 to 9 closes at 21:00.
func Hours(text string) (map[string]string, error) {
	week := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, spans, ok := strings.Cut(part, ":")
		day := ""
		for _, d := range days {
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(name)), d) {
				day = d
			}
		}
		if !ok || day == "" {
			return nil, fault.New(fault.Invalid, "its hours "+strconv.Quote(part)+" do not begin with a weekday: Mon: 10-9; Tue: 10-9")
		}
		spans = strings.TrimSpace(spans)
		if _, fine := place.Spans(spans); fine {
			week[day] = spans
			continue
		}
		from, to, ok1 := strings.Cut(spans, "-")
		a, ok2 := minutes(from)
		b, ok3 := minutes(to)
		if !ok1 || !ok2 || !ok3 {
			return nil, fault.New(fault.Invalid, "its hours "+strconv.Quote(part)+" are none: Mon: 10-9:30")
		}
		if b <= a {
			b += 12 * 60
		}
		week[day] = clock(a) + "-" + clock(b)
	}
	return week, nil
}

// minutes reads "10", "9:30", "10am", "9:30 pm".
func minutes(s string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s, pm := strings.CutSuffix(s, "pm")
	s, am := strings.CutSuffix(s, "am")
	h, m, _ := strings.Cut(strings.TrimSpace(s), ":")
	hour, err := strconv.Atoi(h)
	minute := 0
	if m != "" {
		n, err := strconv.Atoi(m)
		if err != nil {
			return 0, false
		}
		minute = n
	}
	if err != nil || hour < 0 || hour > 24 || minute < 0 || minute > 59 {
		return 0, false
	}
	if pm && hour < 12 {
		hour += 12
	}
	if am && hour == 12 {
		hour = 0
	}
	return hour*60 + minute, true
}

func clock(m int) string {
	two := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	return two(m/60%24) + ":" + two(m%60)
}
