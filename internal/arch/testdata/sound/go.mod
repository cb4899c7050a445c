module rapport

go 1.26.0

require example.org/named v1.0.0

require example.org/through v0.0.1 // indirect

replace example.org/y => ../y
