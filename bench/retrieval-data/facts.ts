/**
 * What people in the conversations tell each other, written by hand for this bench. `{me}` tells, `{you}` asks;
 * the other slots are filled from `values`. Some answers do not repeat what they are about, as people don't.
 */

/** One thing that is told, and questions about it. */
export interface Fact {
  readonly ask: readonly string[];
  readonly tell: readonly string[];
  /** In words of the conversation. */
  readonly single: readonly string[];
  /** In other words. */
  readonly paraphrase?: readonly string[];
  /** How someone else may be meant by this fact, for questions over two of them. */
  readonly who?: string;
  /** What may be asked about that someone. */
  readonly about?: string;
  readonly values?: Readonly<Record<string, readonly string[]>>;
}

const cities = ['Lisbon', 'Chiang Mai', 'Osaka', 'Tallinn', 'Valparaíso', 'Nairobi', 'Leipzig', 'Da Nang'];
const friends = ['Nok', 'Ravi', 'Ingrid', 'Tomás', 'Yuki', 'Amara', 'Pim', 'Oskar'];

/** English facts. */
export const facts: readonly Fact[] = [
  {
    ask: ['Did you end up getting a dog?', 'So, any news from the animal shelter?'],
    tell: [
      'Yes! I adopted a {breed} and named her {pet}.',
      'I brought a {breed} home on Saturday, she is called {pet}.',
    ],
    single: ['What is the name of the {breed} that {me} adopted?', 'Which dog did {me} adopt?'],
    paraphrase: ["What is {me}'s pet called?", 'What kind of puppy lives with {me} now?'],
    who: 'who adopted a {breed}',
    values: {
      breed: ['beagle', 'greyhound', 'poodle', 'corgi', 'dachshund', 'spaniel'],
      pet: ['Toffee', 'Nori', 'Biscuit', 'Mochi', 'Pepper', 'Luna'],
    },
  },
  {
    ask: ['How did the half marathon go?', 'You ran the half marathon, right? How was it?'],
    tell: ['{time}, and my knees survived!', 'Finished in {time}. I could not walk down stairs afterwards.'],
    single: ['What time did {me} finish the half marathon in?', 'How was the half marathon of {me}?'],
    paraphrase: ['How fast was {me} in the race?'],
    who: 'who ran a half marathon',
    values: { time: ['two hours flat', 'one hour fifty-two', 'two hours eleven', 'one hour forty-five'] },
  },
  {
    ask: ['What do you do at work these days?', 'Are you still in the same job?'],
    tell: ['I started as a {job} at {company} this month.', 'New job: I am a {job} now, at {company}.'],
    single: ['Where does {me} work as a {job}?', 'What is the new job of {me}?'],
    paraphrase: ['What does {me} do for a living?', 'Who is the employer of {me}?'],
    about: 'Where does the person {who} work?',
    values: {
      job: ['nurse', 'data engineer', 'baker', 'translator', 'carpenter', 'tax adviser', 'biologist'],
      company: [
        'Northwind',
        'the harbour hospital',
        'Blue Lantern',
        'Kanda & Sons',
        'the botanical garden',
        'Halden Labs',
      ],
    },
  },
  {
    ask: ['Where are you moving to?', 'Did you find a flat in the end?'],
    tell: [
      'We signed for a place in {city}, third floor, lots of light.',
      'It is decided, we move to {city} in the summer.',
    ],
    single: ['Which city is {me} moving to?', 'Where did {me} sign for a flat?'],
    paraphrase: ['Where will {me} live soon?', 'What is the new home town of {me}?'],
    about: 'Which city does the person {who} move to?',
    values: { city: cities },
  },
  {
    ask: ['What did the doctor say about your {body}?', 'Any result for your {body} yet?'],
    tell: [
      'Nothing broken, but no sport for {weeks} weeks.',
      'I have to rest it for {weeks} weeks and then we will see.',
    ],
    single: [
      'How many weeks must {me} rest the {body}?',
      'What did the doctor say about the {body} of {me}?',
    ],
    paraphrase: ['For how long did the physician forbid {me} to exercise?'],
    values: { body: ['ankle', 'shoulder', 'wrist', 'back'], weeks: ['three', 'four', 'six', 'eight'] },
  },
  {
    ask: ['What are you reading at the moment?', 'Read anything good lately?'],
    tell: [
      'I am halfway through {book}, I can hardly put it down.',
      '{book}. {friend} lent it to me and I finished it in two nights.',
    ],
    single: ['Which book is {me} reading?', 'What did {me} read and hardly put down?'],
    paraphrase: ['Which novel does {me} love?'],
    who: 'who was reading {book}',
    values: {
      book: [
        'The Left Hand of Darkness',
        'Middlemarch',
        'Pachinko',
        'The Master and Margarita',
        'Invisible Cities',
        'Sightseeing',
      ],
      friend: friends,
    },
  },
  {
    ask: ['Are you coming to dinner on Friday? Anything you do not eat?', 'I am cooking for us. Allergies?'],
    tell: ['Just {food}, I am allergic. The rest is fine.', 'Please no {food}, my throat swells up.'],
    single: ['What is {me} allergic to?', 'Which food does {me} not eat?'],
    paraphrase: ['What must not be in a meal for {me}?', 'Which ingredient makes {me} ill?'],
    about: 'What is the person {who} allergic to?',
    values: { food: ['peanuts', 'shellfish', 'walnuts', 'sesame', 'kiwi', 'celery'] },
  },
  {
    ask: ['How is the pottery course?', 'You wanted to learn something new this year, did you?'],
    tell: [
      'I switched to {hobby}, every {day} evening with {friend}.',
      'I signed up for {hobby} on {day}s and I love it.',
    ],
    single: ['On which day does {me} do {hobby}?', 'What did {me} sign up for?'],
    paraphrase: ['Which hobby did {me} take up?', 'How does {me} spend {day} evenings?'],
    who: 'who signed up for {hobby}',
    values: {
      hobby: ['bouldering', 'life drawing', 'salsa', 'beekeeping', 'the ukulele', 'fencing'],
      day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday'],
      friend: friends,
    },
  },
  {
    ask: ['What went wrong with the release?', 'Why was everyone in the office so tense?'],
    tell: [
      'The {part} fell over at {hour} and we rolled back by hand.',
      'Somebody deleted the {part}, so we were up until {hour}.',
    ],
    single: ['What fell over during the release at {hour}?', 'Why was the release of {me} rolled back?'],
    paraphrase: ['Which component caused the outage that {me} talked about?'],
    values: {
      part: ['payment queue', 'login service', 'search cluster', 'billing table', 'image cache'],
      hour: ['three in the morning', 'midnight', 'five in the morning', 'lunchtime'],
    },
  },
  {
    ask: ['Did you decide on a database for the project?', 'What came out of the architecture meeting?'],
    tell: ['We go with {tool}, mostly because {reason}.', '{tool} won the vote. {reason}, everybody said.'],
    single: ['Why did {me} go with {tool}?', 'What came out of the architecture meeting of {me}?'],
    paraphrase: ['Which storage technology did the team of {me} choose?'],
    values: {
      tool: ['SQLite', 'PostgreSQL', 'DuckDB', 'Cassandra', 'Redis'],
      reason: [
        'nobody wants to run a server',
        'the backups are simple',
        'the team knows it',
        'it is fast enough on one machine',
      ],
    },
  },
  {
    ask: ['How was the trip?', 'Back from the holidays already? Tell me everything.'],
    tell: [
      '{place} was freezing, but the sunrise was worth it.',
      'We got lost near {place} and a farmer drove us back.',
    ],
    single: ['Where was {me} when the sunrise was worth it?', 'Where did {me} get lost and a farmer helped?'],
    paraphrase: ['Which place did {me} visit on vacation?'],
    who: 'who travelled to {place}',
    values: {
      place: [
        'Doi Inthanon',
        'Lake Bohinj',
        'the Faroe Islands',
        'Mount Rinjani',
        'the Camargue',
        'Koh Phayam',
      ],
    },
  },
  {
    ask: ['What are we getting {friend} for the birthday?', 'Any idea for {friend}? The birthday is close.'],
    tell: [
      'I thought of {gift}, and a card that we all sign.',
      '{gift}! I saw the perfect one in a shop yesterday.',
    ],
    single: ['What did {me} want to give {friend} for the birthday?', 'Which gift is planned for {friend}?'],
    paraphrase: ['What present does {friend} get?'],
    values: {
      friend: friends,
      gift: ['a telescope', 'a cast-iron pan', 'concert tickets', 'a bonsai', 'a hammock', 'a chess set'],
    },
  },
  {
    ask: ['How is your sister?', 'Has your sister had the baby?'],
    tell: [
      'A {child}! {name}, born on {date}, both are well.',
      'She had a {child} on {date}; they chose the name {name}.',
    ],
    single: ["What is the name of the baby of {me}'s sister?", "When was the baby of {me}'s sister born?"],
    paraphrase: ["What is {me}'s {kin} called?"],
    about: 'When was the baby of the sister of the person {who} born?',
    values: {
      child: ['girl', 'boy'],
      name: ['Maren', 'Anya', 'Felix', 'Kiet', 'Sol', 'Edda'],
      date: ['the fourth of March', 'the ninth of May', 'the second of June', 'the last day of April'],
      kin: ['niece or nephew'],
    },
  },
  {
    ask: ['Is the car fixed?', 'What did the garage want for the car?'],
    tell: ['{price}. It was the {part} after all.', 'They replaced the {part} and charged me {price}.'],
    single: ['How much did the garage charge {me} for the {part}?', 'What was wrong with the car of {me}?'],
    paraphrase: ['What did the repair of the vehicle cost {me}?'],
    values: {
      part: ['clutch', 'alternator', 'exhaust', 'gearbox', 'radiator'],
      price: ['four hundred euros', 'nine hundred dollars', 'twelve thousand baht', 'three hundred pounds'],
    },
  },
  {
    ask: ['What is growing on your balcony?', 'How is the garden this year?'],
    tell: ['The {plant} is taking over, I give it away in bags.', 'Slugs ate everything but the {plant}.'],
    single: ['Which plant is taking over the garden of {me}?', 'What did the slugs not eat at {me}?'],
    paraphrase: ['Which vegetable does {me} have too much of?'],
    values: { plant: ['zucchini', 'chard', 'basil', 'tomatoes', 'lemongrass', 'mint'] },
  },
  {
    ask: ['When is the exam?', 'Are you ready for the {subject} exam?'],
    tell: ['It is on {date}, and I have not opened the book.', 'They moved it to {date}, thank goodness.'],
    single: ['When is the {subject} exam of {me}?'],
    paraphrase: ['On which date does {me} have to pass the {subject} test?'],
    values: {
      subject: ['statistics', 'driving', 'Japanese', 'sailing', 'anatomy'],
      date: ['the eleventh of July', 'the third of October', 'the twentieth of May', 'the first of December'],
    },
  },
  {
    ask: ['Who is coming to the workshop?', 'Did you find a speaker for the workshop?'],
    tell: ['{friend} agreed to talk about {topic}.', 'I booked {friend}, the subject will be {topic}.'],
    single: ['Who talks about {topic} at the workshop?', 'What will {friend} talk about at the workshop?'],
    paraphrase: ['Which lecturer did {me} invite?'],
    values: {
      friend: friends,
      topic: [
        'soil bacteria',
        'merge conflicts',
        'tide tables',
        'old maps',
        'speech therapy',
        'wind turbines',
      ],
    },
  },
  {
    ask: ['Where did you leave the spare key?', 'How do I get into the flat when I water the plants?'],
    tell: ['It is {where}. Please put it back there.', 'Look {where}, and mind the neighbour.'],
    single: ['Where is the spare key of {me}?'],
    paraphrase: ['How can one get into the apartment of {me} to water the flowers?'],
    values: {
      where: [
        'under the blue pot',
        'behind the meter',
        'with the baker downstairs',
        'in the letterbox of the third floor',
        'inside the garden gnome',
      ],
    },
  },
  {
    ask: ['Have you seen the new film?', 'How was the cinema?'],
    tell: ['{film} was far too long, I fell asleep.', 'I cried through all of {film}, take tissues.'],
    single: ['Which film did {me} fall asleep in or cry through?', 'What did {me} think of {film}?'],
    paraphrase: ['Which movie did {me} watch?'],
    who: 'who saw {film}',
    values: {
      film: ['The Salt Road', 'Paper Lanterns', 'Eleven Winters', 'A Map of Rain', 'The Night Ferry'],
    },
  },
  {
    ask: ['What is the plan for the budget?', 'Did the finance people answer?'],
    tell: ['They cut us to {amount}, so no {item} this year.', 'We get {amount} if we give up the {item}.'],
    single: ['What amount did finance leave for {me}?', 'Why is there no {item} at the work of {me}?'],
    paraphrase: ['How much money may the department of {me} spend?'],
    values: {
      amount: ['forty thousand', 'a quarter million', 'eighteen thousand', 'ninety thousand'],
      item: ['retreat', 'second printer', 'new laptops', 'summer party', 'intern'],
    },
  },
];

/** Thai facts, asked and told in Thai. */
export const thaiFacts: readonly Fact[] = [
  {
    ask: ['สุดสัปดาห์นี้ไปเที่ยวไหนมา', 'ไปเที่ยวมาเป็นยังไงบ้าง'],
    tell: ['ไป{place}มา อากาศดีมากเลย', 'เพิ่งกลับจาก{place} คนเยอะแต่สนุก'],
    single: ['{me}ไปเที่ยวที่ไหน อากาศดี', '{me}ไป{place}เมื่อไหร่'],
    values: { place: ['เชียงใหม่', 'เกาะสมุย', 'เขาใหญ่', 'น่าน', 'หัวหิน', 'กระบี่'] },
  },
  {
    ask: ['เย็นนี้กินอะไรดี', 'ร้านใหม่ข้างบ้านอร่อยไหม'],
    tell: ['{food}อร่อยที่สุด ต้องลอง', 'สั่ง{food}มา เผ็ดจนน้ำตาไหล'],
    single: ['{me}บอกว่าอาหารอะไรอร่อยที่สุด', 'ใครสั่ง{food}แล้วเผ็ด'],
    values: { food: ['ข้าวผัดกระเพรา', 'ส้มตำปูปลาร้า', 'แกงเขียวหวาน', 'ก๋วยเตี๋ยวเรือ', 'ข้าวซอย'] },
  },
  {
    ask: ['งานใหม่เป็นยังไงบ้าง', 'ตอนนี้ทำงานที่ไหน'],
    tell: ['ได้งานเป็น{job}ที่{company}แล้ว', 'เริ่มเป็น{job}อยู่ที่{company}เดือนนี้'],
    single: ['{me}ทำงานเป็น{job}ที่ไหน', '{me}ได้งานใหม่เป็นอะไร'],
    values: {
      job: ['พยาบาล', 'วิศวกร', 'ครูสอนดนตรี', 'นักบัญชี', 'ช่างไม้'],
      company: ['โรงพยาบาลริมน้ำ', 'บริษัทฟ้าใส', 'โรงเรียนบ้านสวน', 'สำนักงานใหญ่'],
    },
  },
  {
    ask: ['ประชุม project เป็นยังไง', 'ตกลงเลือก database ตัวไหน'],
    tell: ['เลือกใช้ {tool} เพราะดูแลง่าย', 'ทีมตัดสินใจใช้ {tool} แล้ว'],
    single: ['ทีมของ{me}เลือกใช้ database อะไร', 'ทำไม{me}เลือก {tool}'],
    values: { tool: ['SQLite', 'PostgreSQL', 'DuckDB', 'Redis'] },
  },
  {
    ask: ['หมาที่บ้านชื่ออะไร', 'รับสัตว์มาเลี้ยงแล้วเหรอ'],
    tell: ['รับ{animal}มาเลี้ยง ชื่อ{pet}', 'มี{animal}ตัวใหม่ ตั้งชื่อว่า{pet}'],
    single: ['{animal}ของ{me}ชื่ออะไร', '{me}เลี้ยงสัตว์อะไร'],
    values: { animal: ['แมวส้ม', 'หมาพันธุ์บีเกิล', 'กระต่าย', 'นกแก้ว'], pet: ['มะลิ', 'ถุงทอง', 'โมจิ', 'ข้าวปั้น'] },
  },
];
