story: A stranger on two devices becomes one known customer, and keeps what both have seen
start: 2024-03-04
journeys: none
introduce: no

Mon 09:00  @phone       Product Viewed  mug
Mon 09:05  @laptop      Product Viewed  pot
           @phone       is not @laptop
           *            people 2
Mon 09:10  ada@phone    Product Viewed  tin      # signed in
           ada          is @phone
           *            people 2
Mon 09:15  ada@laptop   Product Viewed  tin
           ada          is @laptop
           *            people 1
           ada          in keen
Mon 09:20  @phone       Order Completed  tin     # signed out again, and still recognised
           ada          ? onsite tin  just-bought
