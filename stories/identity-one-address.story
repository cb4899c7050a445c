story: Two strangers who give one address at the same instant are one
start: 2024-03-04
journeys: none
introduce: no

Mon 09:00  @phone   Product Viewed  mug
           @laptop  Product Viewed  pot
           *        people 2
Mon 10:00  @phone   identify        email=ada@people.example
           @laptop  identify        email=ada@people.example
           @phone   is @laptop
           @phone   is <ada@people.example>
           *        people 1
           @phone   in keen
