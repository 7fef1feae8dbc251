#A
@problemName P
@timeStamps false
@univariate false
@dimensions 2
@equalLength true
@classLabel true a b
@data
1,2:3,4:a
1,1:5,6:b
