package bench

import (
	"fmt"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// The size of the definitions, by DESIGN §11.
const (
	segments = 50
	journeys = 10
)

// workspace is that of every bench.
const workspace = "bench"

// secret is the key from which the ids of a bench are made.
var secret = identity.Key{'b', 'e', 'n', 'c', 'h'}

// categories are what the shop sells.
var categories = [...]string{"boots", "coats", "lamps", "mugs", "bags", "toys", "books", "garden", "candles", "scarves"}

const shopFile = `name: The Bench Shop
zone: Europe/London
currency: GBP
locale: en-GB
website: https://shop.example
postal: The Bench Shop, 1 Example Street, London
purposes:
  marketing: News and offers
senders:
  email: {from_name: The Bench Shop, from: hello@shop.example}
`

const (
	layoutHTML = "<!doctype html><html><body>{{ content }}<p>{{ reason }}. <a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> <a href=\"{{ preferences_url }}\">Choose</a></p><p>{{ shop.postal }}</p></body></html>\n"
	layoutText = "{{ content }}\n\n{{ reason }}.\nUnsubscribe: {{ unsubscribe_url }}\n{{ shop.postal }}\n"
	letterHTML = `---
subject: Something for you, {{ customer.first_name | default: "dear customer" }}
---
<h1>Hello {{ customer.first_name | default: "there" }}</h1>
<p>You looked at something in our shop, and it is still here. If it is not what you need, answer this mail and tell us what would be.</p>
<p><a href="{{ shop.website }}/look">Look at it again</a> or <a href="{{ shop.website }}/new">see what is new</a>.</p>
`
	letterText = "Hello {{ customer.first_name | default: \"there\" }},\n\nyou looked at something in our shop, and it is still here.\n\nLook at it again: {{ shop.website }}/look\n"
)

// files are the definitions that every bench's shop has.
func files(policy string) []program.File {
	return []program.File{
		{Path: "shop.yaml", Body: shopFile},
		{Path: "policy.yaml", Body: policy},
		{Path: "layouts/default.html.liquid", Body: layoutHTML},
		{Path: "layouts/default.txt.liquid", Body: layoutText},
		{Path: "templates/letter.html.liquid", Body: letterHTML},
		{Path: "templates/letter.txt.liquid", Body: letterText},
	}
}

// usualPolicy protects customers as a shop would.
const usualPolicy = "caps: {all: {per: 7d, most: 3}}\ngap: 4h\n"

// bigShop returns definitions of the stated size, of every kind that shops write:
// taste by category, worth, frequency, visits, people, and segments of segments.
func bigShop() (*program.Source, error) {
	list := files(usualPolicy)
	n := 0
	segment := func(name, when string) {
		n++
		list = append(list, program.File{Path: fmt.Sprintf("segments/s%02d.yaml", n), Body: "segment: " + name + "\nwhen: " + when + "\n"})
	}
	for _, c := range categories {
		segment("likes-"+c, fmt.Sprintf(`{did: Product Viewed, where: {category: %s}, times: ">= 3", within: 14d}`, c))
		segment("buys-"+c, fmt.Sprintf(`{did: Order Completed, where: {products.category: %s}, within: 90d}`, c))
	}
	for _, c := range categories[:5] {
		segment("wants-"+c, fmt.Sprintf(`{all: [{did: Product Viewed, where: {category: %[1]s}, times: ">= 3", within: 14d}, {did_not: Order Completed, where: {products.category: %[1]s}, within: 14d}]}`, c))
	}
	for _, pounds := range []int{50, 100, 200, 500, 1000, 2000} {
		segment(fmt.Sprintf("spent-%d", pounds), fmt.Sprintf(`{did: [Order Completed, Order Refunded], sum(net): ">= %d", within: 180d}`, pounds))
	}
	for _, times := range []int{1, 2, 3, 5, 8} {
		segment(fmt.Sprintf("ordered-%d", times), fmt.Sprintf(`{did: Order Completed, times: ">= %d", within: 180d}`, times))
	}
	for _, visits := range []int{2, 5, 10} {
		segment(fmt.Sprintf("visits-%d", visits), fmt.Sprintf(`{did: Product Viewed, sessions: ">= %d", within: 30d}`, visits))
	}
	segment("new", `{did: Order Completed, first: {within: 30d}}`)
	segment("lapsed", `{did: Order Completed, last: {older_than: 180d}}`)
	segment("at-risk", `{did: Order Completed, times: ">= 3", last: {older_than: 60d, within: 120d}}`)
	segment("abroad", `{trait: country, exists: true, not_in: [GB]}`)
	segment("german", `{trait: country, is: DE}`)
	segment("reachable", `{all: [{reachable: email}, {consent: marketing, channel: email}]}`)
	segment("mobile", `{context: device.type, is: mobile}`)
	segment("browsed", `{did: Product Viewed, times: ">= 10", within: 7d}`)
	segment("carts", `{all: [{did: Product Added, within: 3d}, {did_not: Order Completed, within: 3d}]}`)
	segment("vip", `{any: [{segment: spent-1000}, {segment: ordered-8}]}`)
	segment("quiet", `{all: [{segment: vip}, {did_not: Product Viewed, within: 30d}]}`)
	if n != segments {
		return nil, fault.New(fault.Internal, fmt.Sprintf("the bench shop has %d segments, not %d", n, segments))
	}
	j := 0
	journey := func(name, body string) {
		j++
		list = append(list, program.File{Path: fmt.Sprintf("journeys/j%02d.yaml", j), Body: "journey: " + name + "\n" + body})
	}
	const send = "  - name: letter\n    send: {template: letter, reason: You shopped with us}\n"
	for _, c := range categories[:5] {
		journey("remind-"+c, fmt.Sprintf("trigger: {event: Product Viewed, where: {category: %[1]s}}\naudience: {segment: wants-%[1]s}\nreentry: {after: 30d}\nexit: {did: Order Completed}\nsteps:\n  - name: think\n    wait: {for: 1h, restart: true}\n", c)+send)
	}
	journey("welcome", "trigger: {event: Order Completed}\naudience: {did: Order Completed, times: \"= 1\"}\nreentry: never\nsteps:\n  - name: settle\n    wait: 1d\n"+send)
	journey("thanks", "trigger: {event: Order Completed}\naudience: {did: Order Completed, times: \">= 2\"}\nreentry: {after: 60d}\nsteps:\n  - name: arrive\n    wait: 3d\n"+send)
	journey("cart", "trigger: {event: Product Added}\nreentry: {after: 3d}\nexit: {did: Order Completed}\nsteps:\n  - name: wait\n    wait: {for: 4h, restart: true}\n"+send)
	journey("vip", "trigger: {segment: vip, on: enter}\nreentry: never\nsteps:\n"+send)
	journey("win-back", "trigger: {segment: at-risk, on: enter}\nreentry: {after: 180d}\nsteps:\n"+send)
	if j != journeys {
		return nil, fault.New(fault.Internal, fmt.Sprintf("the bench shop has %d journeys, not %d", j, journeys))
	}
	return program.New(list)
}

// letterShop returns definitions of one journey that sends at once, with nothing
// that holds a message back, beside one segment that time alone ends.
func letterShop() (*program.Source, error) {
	return program.New(append(files("caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: []\nowned_for: 0d\n"),
		program.File{Path: "segments/asked.yaml", Body: "segment: asked\nwhen: {did: Letter Asked, within: 1h}\n"},
		program.File{Path: "journeys/letter.yaml", Body: "journey: letter\ntrigger: {event: Letter Asked}\nreentry: {after: 1d}\nholdout: 0\nsteps:\n  - name: letter\n    send: {template: letter, reason: You asked for it}\n"},
	))
}

// compile compiles definitions for a bench.
func compile(src *program.Source, err error) (*program.Program, error) {
	if err != nil {
		return nil, err
	}
	p, problems := program.Compile(src, program.Options{Workspace: workspace, Key: secret})
	if p == nil {
		return nil, fault.Wrap(fault.Internal, problems[0], "the definitions of the bench do not compile")
	}
	return p, nil
}
