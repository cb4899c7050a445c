package intake

import (
	"net"
	"net/http"
	"net/netip"

	"rapport/internal/core/event"
)

// Town is what the address of a network tells of a place.
type Town struct {
	Country string // ISO 3166, two letters
	Region  string
	City    string
}

// surroundings writes beside what clients said the class of their device and the
// town that their network's address tells. The address itself is not kept.
type surroundings struct {
	s      *Server
	r      *http.Request
	hints  hints
	peer   Town
	looked bool

	context, done event.Object // of the event before: a batch says the same again and again
	public, known bool
}

func (s *Server) surroundings(r *http.Request) *surroundings {
	return &surroundings{s: s, r: r, hints: hints{mobile: r.Header.Get("Sec-CH-UA-Mobile"), form: r.Header.Get("Sec-CH-UA-Form-Factors")}}
}

// describe returns the context with what can be told of the surroundings. The
// request is the shopper's own only where a page's key is used: a server's tells
// nothing but what it says in the context.
func (w *surroundings) describe(e *event.Event) event.Object {
	public := e.Trust == event.Public
	if w.known && e.Context == w.context && public == w.public {
		return w.done
	}
	agent, h := "", hints{}
	if public {
		agent, h = w.r.UserAgent(), w.hints
	}
	done := e.Context
	if class := classOf(e.Context, agent, h); class != "" {
		device, _ := e.Context.Get("device")
		done = done.With("device", event.Nested(device.Object().With("class", event.Text(class))))
	}
	if town := w.town(e.Context, public); town != (Town{}) {
		where, _ := e.Context.Get("location")
		o := where.Object()
		for _, part := range [...]struct{ key, text string }{{"country", town.Country}, {"region", town.Region}, {"city", town.City}} {
			if part.text != "" {
				o = o.With(part.key, event.Text(part.text))
			}
		}
		done = done.With("location", event.Nested(o))
	}
	w.context, w.done, w.public, w.known = e.Context, done, public, true
	return done
}

// town returns what the address tells, unless the client has named a place itself.
func (w *surroundings) town(context event.Object, public bool) Town {
	if w.s.opt.Locate == nil || context.Text("location.country") != "" || context.Text("location.city") != "" {
		return Town{}
	}
	if !public {
		a, err := netip.ParseAddr(context.Text("ip"))
		if err != nil {
			return Town{}
		}
		return w.s.opt.Locate(a.Unmap())
	}
	if !w.looked {
		w.looked = true
		if a, ok := peer(w.r); ok {
			w.peer = w.s.opt.Locate(a)
		}
	}
	return w.peer
}

// peer returns the address of the shopper, which whoever mounts the server has put
// right if a proxy is in front.
func peer(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	return a.Unmap().WithZone(""), err == nil
}
