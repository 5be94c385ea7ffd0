/** Words that may stand for each other; a plural stands behind a slash: `['dog/dogs', 'cat/cats']`. */
export type WordGroup = readonly string[]

/** The words that {@link naturalPerturber} knows; extend it by spreading it. */
export interface NaturalLexicon {
  /** Who or what a picture is of. Words replace words of their own group alone. */
  readonly subjects: readonly WordGroup[]
  /** Things that a subject uses, holds or acts on. */
  readonly objects: readonly WordGroup[]
  /** Adjectives, by what they describe. */
  readonly adjectives: readonly WordGroup[]
  /** Places, with their preposition and article: `on a beach`. */
  readonly backgrounds: readonly string[]
  /** Kinds of picture, with their article: `a sketch`. */
  readonly domains: readonly string[]
  /** Weather, with its preposition: `in the rain`. */
  readonly weathers: readonly string[]
}

/** Words for everyday captions, as of COCO or Flickr. */
export const naturalLexicon: NaturalLexicon = {
  subjects: [
    ['man/men', 'boy/boys', 'gentleman/gentlemen'],
    ['woman/women', 'girl/girls', 'lady/ladies'],
    ['person/people', 'child/children', 'adult/adults', 'tourist/tourists', 'worker/workers'],
    [
      'dog/dogs',
      'cat/cats',
      'horse/horses',
      'sheep/sheep',
      'cow/cows',
      'fox/foxes',
      'bear/bears',
      'elephant/elephants',
    ],
    ['bird/birds', 'duck/ducks', 'owl/owls', 'eagle/eagles'],
    ['car/cars', 'truck/trucks', 'bus/buses', 'train/trains', 'motorcycle/motorcycles', 'airplane/airplanes'],
  ],
  objects: [
    ['ball/balls', 'frisbee/frisbees', 'stick/sticks', 'toy/toys'],
    ['bicycle/bicycles', 'skateboard/skateboards', 'surfboard/surfboards', 'scooter/scooters'],
    ['umbrella/umbrellas', 'bag/bags', 'suitcase/suitcases', 'backpack/backpacks'],
    ['book/books', 'phone/phones', 'newspaper/newspapers', 'camera/cameras'],
    ['pizza/pizzas', 'sandwich/sandwiches', 'cake/cakes', 'apple/apples', 'banana/bananas'],
    ['chair/chairs', 'bench/benches', 'couch/couches', 'table/tables'],
    ['guitar/guitars', 'piano/pianos', 'violin/violins', 'drum/drums'],
  ],
  adjectives: [
    ['red', 'blue', 'green', 'yellow', 'black', 'white', 'brown', 'orange', 'purple'],
    ['small', 'large', 'tiny', 'huge'],
    ['old', 'young'],
    ['wooden', 'metal', 'plastic'],
  ],
  backgrounds: [
    'on a beach',
    'in a forest',
    'in a city',
    'in a field',
    'in a kitchen',
    'on a street',
    'in a desert',
    'in the snow',
  ],
  domains: ['a photo', 'a painting', 'a sketch', 'a cartoon', 'an oil painting', 'a black and white photo'],
  weathers: [
    'in the rain',
    'on a sunny day',
    'on a foggy morning',
    'during a snowstorm',
    'under a cloudy sky',
  ],
}
