package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/place"
	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/intake/geoip"
	"rapport/internal/program"
	"rapport/internal/sources/stores"
)

type importStoresCmd struct {
	File        string `arg:"" type:"existingfile" help:"CSV with a header, JSON or JSON lines; gzip is unpacked."`
	Definitions string `required:"" type:"path" help:"Folder of definitions: the stores become a file there, stores/SOURCE.jsonl, in the place of the one before. Apply it to put them in force."`
	Source      string `default:"stores" help:"Name of the list, and of the file."`
	Zone        string `placeholder:"Europe/London" help:"Time zone of stores that name none. Default: the shop's."`
	Country     string `placeholder:"GB" help:"Country of stores that name none."`
	Fence       string `placeholder:"300m" help:"Make a fence, store/ID, of so far around each store that names none."`
}

// Run turns a list of stores into definitions, once all of it is in order.
func (c *importStoresCmd) Run(_ context.Context, e *env) error {
	if c.Source == "" || strings.ContainsAny(c.Source, `/\:`) {
		return fmt.Errorf("%w: --source is the name of a file", errMisuse)
	}
	if _, err := os.Stat(filepath.Join(c.Definitions, "shop.yaml")); err != nil {
		return fault.New(fault.NotFound, c.Definitions+" is not a folder of definitions: it has no shop.yaml")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "the file cannot be opened")
	}
	defer f.Close()
	list, err := stores.Read(f, stores.Options{Zone: c.Zone, Country: c.Country, Fence: c.Fence})
	if err != nil {
		return err
	}
	body, err := program.StoreLines(list)
	if err != nil {
		return err
	}
	name := "stores/" + c.Source + ".jsonl"
	all, problems := program.CheckStores(name, body)
	if len(problems) > 0 {
		return fault.New(fault.Invalid, fmt.Sprintf("%d things are wrong with the list; the first: %s", len(problems), problems[0].Error()))
	}
	path := filepath.Join(c.Definitions, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder for stores cannot be made")
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the stores cannot be written")
	}
	fmt.Fprintf(e.out, "%d stores are in %s; rapport apply puts them in force\n", len(all), path)
	return nil
}

type storesCmd struct {
	Definitions string  `required:"" type:"path" help:"Folder of definitions."`
	Lat         float64 `help:"With --lon: the nearest first."`
	Lon         float64 `help:"With --lat: the nearest first."`
	At          string  `placeholder:"2026-12-24T15:00:00Z" help:"Whether they are open then. Default: now."`
	Open        bool    `help:"Only those that are open."`
	Limit       int     `default:"20" help:"How many are shown."`
	JSON        bool    `help:"Print JSON."`
}

// storeShown is a store as the command prints it.
type storeShown struct {
	ID     string  `json:"id"`
	Label  string  `json:"label"`
	Hours  string  `json:"hours_today,omitempty"`
	Open   *bool   `json:"open,omitempty"`
	Until  string  `json:"until,omitempty"`
	Metres float64 `json:"metres,omitempty"`
}

// Run lists stores of a folder of definitions, with their hours.
func (c *storesCmd) Run(_ context.Context, e *env) error {
	src, err := definitions(c.Definitions)
	if err != nil {
		return err
	}
	p, problems := program.Compile(src, program.Options{Workspace: workspace, Key: identity.Key{}})
	if p == nil {
		return fault.New(fault.Invalid, "the definitions are not in order: "+problems[0].Error())
	}
	now := event.At(time.Now())
	if c.At != "" {
		t, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return fmt.Errorf("%w: --at: an instant such as 2026-12-24T15:00:00Z is expected", errMisuse)
		}
		now = event.At(t)
	}
	pass := func(s *place.Store) bool {
		open, _, _ := s.Open(now)
		return open || !c.Open
	}
	var found []place.Near
	if c.Lat != 0 || c.Lon != 0 {
		found = p.Places.Nearest(place.Point{Lat: c.Lat, Lon: c.Lon}, 0, c.Limit, pass)
	} else {
		for i := range p.Places.Stores() {
			if s := &p.Places.Stores()[i]; pass(s) && len(found) < c.Limit {
				found = append(found, place.Near{Store: s})
			}
		}
	}
	list := make([]storeShown, len(found))
	for i, n := range found {
		v := storeShown{ID: n.Store.ID, Label: n.Store.Label(), Hours: n.Store.Hours.Text(now, n.Store.Zone), Metres: n.Metres}
		if open, known, until := n.Store.Open(now); known {
			v.Open, v.Until = &open, until.Time().In(n.Store.Zone).Format(time.RFC3339)
		}
		list[i] = v
	}
	if c.JSON {
		return e.printJSON(list)
	}
	fmt.Fprintf(e.out, "%d stores, %d fences\n", len(p.Places.Stores()), len(p.Places.Fences()))
	for _, v := range list {
		state := ""
		if v.Open != nil {
			state = map[bool]string{true: "open until ", false: "closed until "}[*v.Open] + v.Until
		}
		far := ""
		if v.Metres > 0 {
			far = fmt.Sprintf("%.1f km", v.Metres/1000)
		}
		fmt.Fprintf(e.out, "%-12s %-40s %-14s %-10s %s\n", v.ID, v.Label, v.Hours, far, state)
	}
	return nil
}

// placing is how a server learns who its visitors are and where.
type placing struct {
	GeoIP string `name:"geoip" type:"path" placeholder:"FILE" help:"A file in MaxMind's format (.mmdb) that tells the country and town of a visitor's network. Default: nobody is asked. Addresses are not kept."`

	TrustedProxy []string `placeholder:"CIDR" help:"Address or network of a proxy in front, such as 10.0.0.0/8; may be repeated. What these say of who connected is believed, in X-Forwarded-For or Forwarded, from the end of the list up to the first that is none of them; what anybody else says is not. It decides whose wrong passwords, keys and sign-ups are counted together, what is kept of where a consent came from, and the town. Default: there is no proxy, and whoever connects is the visitor."`
	PeerHeader   string   `placeholder:"NAME" help:"The header in which the trusted proxies say who connected, if it is another, such as CF-Connecting-IP."`
}

// prepare opens the file, if there is one.
func (p placing) prepare(s *server) error {
	front, err := newProxies(p.TrustedProxy, p.PeerHeader)
	if err != nil {
		return err
	}
	s.front = front
	if p.GeoIP == "" {
		return nil
	}
	db, err := geoip.Open(p.GeoIP)
	if err != nil {
		return err
	}
	s.geo = db
	return nil
}

// locate is what tells the town of an address; nil if nobody does.
func (s *server) locate() func(netip.Addr) intake.Town {
	if s.geo == nil {
		return nil
	}
	return s.geo.Locate
}

// closeGeo releases the file of towns.
func (s *server) closeGeo() error {
	if s.geo == nil {
		return nil
	}
	return s.geo.Close()
}
