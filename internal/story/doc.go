// Package story plays stories: what happens to some people, what must be said to
// them and what must not.
//
// A story is a text that a shop's people can write and read. Each line has a
// time, a person and what happens or must be so; columns are separated by two
// spaces or more:
//
//	story: Somebody buys the lamp that they were to be reminded of
//	start: 2011-03-07
//	journeys: lighting-reminder
//
//	Mon 09:00  ada  Consent Given    email
//	Mon 10:00  ada  Product Viewed   brass-lamp/lighting@49.90
//	+5m        ada  Product Viewed   brass-lamp/lighting@49.90
//	+5m        ada  Product Viewed   tall-lamp/lighting@89.00
//	           ada  in lighting-intent
//	+30m       ada  Order Completed  tall-lamp/lighting@89.00  channel=till
//	+3d        ada  -> nothing
//
// [Run] plays the stories of a folder against a program. It drives the real
// core, event by event and alarm by alarm, with a small world around it that
// keeps profiles, forwards entries between homes, grants slots and answers for
// the provider. Time is what the lines say: a year takes milliseconds. Every
// message is rendered, so a template that cannot be filled in fails a story too.
//
// A story is strict: a message that no line expects is a failure. Nobody is in a
// holdout, unless the story asks for it.
//
// # The head
//
// Lines “key: value” before the first line with a time:
//
//	story        what it is about; the file's name if it does not say
//	start        the day on which it begins, 2011-03-07; default 2024-01-01, a Monday
//	zone         the zone of its times; default the shop's
//	journeys     the journeys that are in force, by name; default all
//	definitions  a folder of definitions, below the story's own; default those given to Run
//	introduce    no: nobody is known; default yes, people introduce themselves
//	holdout      on: holdouts are in force; default off
//
// # Times
//
//	Mon 09:00         the next Monday, or today if it is one
//	09:00             today
//	2011-03-07 09:00  that day
//	+3d               later by so much: w, d, h, m and s, also +1h30m
//	+3d 09:00         so many days later, at that time
//	(nothing)         the same instant as the line above
//
// # People
//
// A name is a customer of the shop's own, known to the back end and the till by
// a user id. At the first mention they introduce themselves with a first name
// and an e-mail address made of the name. “@phone” is a device, “ada@phone” ada
// on a device; both speak with the public key of a web page. “<ada@x.example>”
// is somebody whom the till knows by address only. “*” is nobody in particular.
//
// # What happens
//
//	Order Completed  boots  lamp/lighting@49.90*2  channel=till
//	Consent Given  email            or: email track.email, Consent Withdrawn
//	Unsubscribed  email
//	identify  country=IE  email=…
//	import Order Completed  boots   it is history and triggers nothing
//	late 2h Order Completed  boots  it happened two hours ago
//	address bounces                 or defers, works: what the provider answers from here on
//	service order-shipped  order_id=7   the shop's back end asks for that message
//	campaign send sale              also pause, resume and stop; of nobody in particular: *
//	definitions v2                  other definitions come into force
//	repeat 200                      the lines up to “end” so often; $n is the number
//
// Anything else is an event by its name. A product is sku, /category, @price and
// *quantity, each but the first as needed; key=value is a property, and id=… the
// id of the event itself.
//
// # What must be so
//
//	-> mail welcome        the next message to them so far is that template, or of that journey
//	-> nothing             nothing was sent to them that no line before has named
//	-> recalled welcome    also dropped, withheld, expired, failed; behind it the reason
//	? email boots  just-bought   what the gate says to a message about boots now
//	in vip                 also: not in vip, in journey welcome, not in journey welcome
//	waiting welcome        a message waits to be sent; waiting nothing
//	has country=IE         also: has not country
//	is ada                 the two are one person; is not ada
//	people 3               so many people there are
package story
