package api

import (
	"context"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/fault"
)

// storeView is one store.
type storeView struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Kind     string   `json:"kind,omitempty"`
	Lat      float64  `json:"lat"`
	Lon      float64  `json:"lon"`
	Street   string   `json:"street,omitempty"`
	City     string   `json:"city,omitempty"`
	Region   string   `json:"region,omitempty"`
	Postal   string   `json:"postal,omitempty"`
	Country  string   `json:"country,omitempty"`
	Phone    string   `json:"phone,omitempty"`
	Zone     string   `json:"zone" doc:"The IANA name of the zone of its wall clock."`
	Services []string `json:"services"`
	Staff    []string `json:"staff"`
	Today    string   `json:"hours_today,omitempty" doc:"By its own clock; absent if its hours are not known."`
	Open     *bool    `json:"open,omitempty" doc:"Whether it is open at the instant asked about; absent if its hours are not known."`
	Until    string   `json:"until,omitempty" doc:"When that changes."`
	Metres   *float64 `json:"metres,omitempty" doc:"How far it is from the point asked about."`
	Stock    *int64   `json:"stock,omitempty" doc:"Pieces of the SKU asked about; absent if the store has not told."`
}

func storeOf(s *place.Store, now event.Time) storeView {
	v := storeView{
		ID: s.ID, Name: s.Name, Kind: s.Kind, Lat: s.At.Lat, Lon: s.At.Lon, Street: s.Street, City: s.City, Region: s.Region, Postal: s.Postal, Country: s.Country,
		Phone: s.Phone, Zone: s.Zone.String(), Services: append([]string{}, s.Services...), Staff: append([]string{}, s.Staff...), Today: s.Hours.Text(now, s.Zone),
	}
	if open, known, until := s.Open(now); known {
		v.Open, v.Until = &open, until.String()
	}
	return v
}

// fenceView is one fence.
type fenceView struct {
	Name  string `json:"name"`
	Store string `json:"store,omitempty" doc:"The store whose surroundings it is."`
	// A circle around it, for maps.
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Metres float64 `json:"metres" doc:"Radius of the circle; of a polygon, of one that holds it."`
}

// maxNearest is how many stores one question may bring.
const maxNearest = 100

// nearestQuery is what nearest is asked.
type nearestQuery struct {
	Lat    float64 `query:"lat" minimum:"-90" maximum:"90"`
	Lon    float64 `query:"lon" minimum:"-180" maximum:"180"`
	Who    string  `query:"customer" maxLength:"40" doc:"Instead of lat and lon, the id of a customer: where they were last, if they let that be known."`
	SKU    string  `query:"sku" maxLength:"200" doc:"Only stores that have it in stock."`
	At     string  `query:"at" maxLength:"40" doc:"The instant, such as 2026-12-24T15:00:00Z. Default: now."`
	Open   bool    `query:"open" doc:"Only stores that are open at the instant."`
	Within float64 `query:"within" minimum:"0" maximum:"20000" doc:"Kilometres at most; 0: however far."`
	Limit  int     `query:"limit" minimum:"1" maximum:"100" default:"5"`
}

// stores adds the operations about stores and fences.
func (a *API) stores() {
	route(a, get("/stores", "stores", "List the stores", "In order of their ids, as the definitions in force name them."), func(ctx context.Context, in *Paging) (*body[page[storeView]], error) {
		m, err := a.places(ctx)
		if err != nil {
			return nil, err
		}
		now := a.o.Now()
		list := make([]storeView, len(m.Stores()))
		for i := range m.Stores() {
			list[i] = storeOf(&m.Stores()[i], now)
		}
		return answer(keep(list, *in, "stores", func(s *storeView) string { return s.ID }))
	})
	route(a, get("/stores/nearest", "stores", "Find the nearest stores", "The nearest first; with sku those that have it, with open those that are open."), a.nearest)
	route(a, get("/stores/{id}", "stores", "Show a store", ""), func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"200"`
	},
	) (*body[storeView], error) {
		m, err := a.places(ctx)
		if err != nil {
			return nil, err
		}
		s := m.Store(in.ID)
		if s == nil {
			return nil, fault.New(fault.NotFound, "there is no such store")
		}
		return answer(storeOf(s, a.o.Now()), nil)
	})
	route(a, get("/fences", "stores", "List the fences", "In order of their names; with lat and lon those that hold the point."), func(ctx context.Context, in *struct {
		Paging
		Lat float64 `query:"lat" minimum:"-90" maximum:"90"`
		Lon float64 `query:"lon" minimum:"-180" maximum:"180"`
	},
	) (*body[page[fenceView]], error) {
		m, err := a.places(ctx)
		if err != nil {
			return nil, err
		}
		fences := m.Fences()
		if in.Lat != 0 || in.Lon != 0 {
			fences = m.Around(place.Point{Lat: in.Lat, Lon: in.Lon})
		}
		list := make([]fenceView, len(fences))
		for i, f := range fences {
			at, metres := f.Bound()
			list[i] = fenceView{f.Name, f.Store, at.Lat, at.Lon, metres}
		}
		return answer(keep(list, in.Paging, "fences", func(f *fenceView) string { return f.Name }))
	})
}

// places is the map of the definitions in force; nil if there are no places.
func (a *API) places(ctx context.Context) (*place.Map, error) {
	p, err := a.o.Node.Program(ctx)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errNoProgram
	}
	return p.Places, nil
}

func (a *API) nearest(ctx context.Context, in *nearestQuery) (*body[page[storeView]], error) {
	m, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	from := place.Point{Lat: in.Lat, Lon: in.Lon}
	if in.Who != "" {
		p, err := a.person(ctx, in.Who)
		if err != nil {
			return nil, err
		}
		if p.Where.PointAt == 0 {
			return nil, fault.New(fault.NotFound, "it is not known where this customer was: no app has told it, or they did not agree to that")
		}
		from = p.Where.Point.Point()
	}
	if !from.Valid() {
		return nil, fault.New(fault.Invalid, "lat and lon are those of a point on the ground; 0, 0 is in the sea")
	}
	now := a.o.Now()
	if in.At != "" {
		t, err := time.Parse(time.RFC3339, in.At)
		if err != nil {
			return nil, fault.New(fault.Invalid, "at: an instant such as 2026-12-24T15:00:00Z is expected")
		}
		now = event.At(t)
	}
	stock := map[string]int64{}
	if in.SKU != "" {
		levels, found, err := a.o.Catalogue.Levels(ctx, in.SKU)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fault.New(fault.NotFound, "nothing of that SKU is sold")
		}
		for _, l := range levels {
			stock[l.Place] = l.Stock
		}
	}
	found := m.Nearest(from, in.Within*1000, min(in.Limit, maxNearest), func(s *place.Store) bool {
		if in.SKU != "" && stock[s.Stock] <= 0 {
			return false
		}
		open, _, _ := s.Open(now)
		return open || !in.Open
	})
	list := make([]storeView, len(found))
	for i, n := range found {
		list[i] = storeOf(n.Store, now)
		metres := float64(int64(n.Metres*10+.5)) / 10
		list[i].Metres = &metres
		if pieces, told := stock[n.Store.Stock]; told {
			list[i].Stock = &pieces
		}
	}
	return answer(page[storeView]{Data: slices.Clip(list)}, nil)
}
