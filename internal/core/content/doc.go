// Package content words a message: it turns a template and what is known about
// one customer into a subject, HTML and text.
//
// Templates are written in Liquid, by people who are not programmers, and filled
// with what strangers typed into forms. Two things must therefore be impossible.
//
// What a stranger typed must not become markup. In HTML each output is escaped
// for the place where it stands, and that place is found when the template is
// compiled, by following the HTML through every branch: text, an attribute, an
// address, a style. There is no filter to switch that off. Where no escaping is
// safe (a script, an event handler, an attribute without quotes) a template does
// not compile. An address in a link must be a web address, mailto or tel.
//
// A template must not harm the process. Each rendering has budgets for steps,
// for the bytes it makes on the way and for its output; whatever a template
// does, including doubling a string a thousand times, it pays for before it is
// done. There is no file, no clock, no environment and no network to reach.
//
// And it must not sound broken: a variable that is missing or blank is an error,
// unless the template says what to write instead ({{ name | default: "there" }},
// or a fallback for all places), so nobody reads "Hi ,". A preview shows a mark
// there instead, and a preview cannot be sent by mistake: it is another method.
//
// A template is put together when it is compiled: the message in its layout, and
// each block in each place where it stands ({% render 'card', item: product %}).
// So a block is escaped for its place too, cannot stand in itself, and costs
// nothing to find. {% abort "sold out" %} gives a message up, with its reason.
//
// The language is Liquid as Shopify speaks it, tested against the golden suite.
package content
