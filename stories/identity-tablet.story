story: A tablet in the shop with two hundred log-ins merges nobody
start: 2024-03-04
journeys: none
introduce: no

Mon 09:00  @tablet  Product Viewed  mug
repeat 200
+1m        guest-$n@tablet  Product Viewed  pot
           guest-$n         is not guest-$n-else
end
           guest-1    is not guest-2
           guest-100  is not guest-200
           guest-200  not in keen        # each of them looked once
           *          people 200         # the tablet went with the first who logged in
