// Package program turns a shop's definitions into what the engine runs.
//
// A shop describes itself in a folder of YAML and Liquid files:
//
//	shop.yaml                    who speaks: name, zone, currency, purposes, senders
//	policy.yaml                  how often, when and about what customers may be spoken to
//	segments/*.yaml              one or several segments in each file
//	scores/*.yaml                scores and affinities, one or several in each file
//	journeys/*.yaml              one journey in each file
//	templates/*.html.liquid      the messages, each with its settings on top
//	templates/*.txt.liquid       the same in plain text
//	templates/*.mjml             a message in MJML, in place of its HTML
//	pictures/*                   pictures, which messages show as pictures/lamp.jpg
//	layouts/*.html.liquid        what stands around the messages
//	layouts/*.txt.liquid
//	blocks/*.liquid              pieces of messages that templates show by name;
//	                             card.html.liquid and card.txt.liquid if they differ
//	locales/*.yaml               the sentences of templates, one language in each file
//
// [Read] takes the folder, [Compile] makes a [Program] of it, and
// [Program.Render] words one delivery. A [Source] is kept as the bytes of
// [Source.Pack] under [Source.Hash]: a restart and a replay compile what was in
// force then, and not what stands in the folder now.
//
// Everything that is wrong is reported at once, each with its file, line and
// column and with what to write instead. A folder that has a problem makes no
// program: half of a set of definitions is worse than the one before it.
package program
