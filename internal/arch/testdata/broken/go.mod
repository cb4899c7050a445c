module rapport

require example.org/alone v1.2.3 // want module

require (
	example.org/among v0.0.1 // want module
	example.org/through v0.0.1 // indirect
	example.org/named v1.0.0
)

replace example.org/x => /srv/x // want words
