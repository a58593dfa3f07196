// An evening among friends, for pictures and for the checks of the look: three languages, and everything that stretches.
import type { Guest } from './people.ts';

/** Who says what, in order. */
export const evening: readonly (readonly [who: 'Núria' | 'Marcos' | 'Ellen' | 'Youssef', text: string])[] = [
  ['Núria', 'Bon dia! Divendres fem sopar a casa? Fa massa que no ens veiem'],
  ['Núria', 'Jo poso la taula i el vi 🍷'],
  ['Marcos', '¡Me apunto! ¿A qué hora? Salgo del trabajo a las ocho'],
  ['Ellen', 'Count me in. I can bring dessert: lemon tart or brownies?'],
  ['Núria', 'Tart, tart, tart'],
  ['Marcos', 'La de limón, por favor. La última vez no quedó ni una miga 😂'],
  ['Ellen', 'Lemon it is, then. Is there anyone who doesn’t eat eggs? I’d rather ask now than on Friday at seven with a whisk in my hand and a shop that closes at half past.'],
  ['Youssef', 'أنا نباتي، لكن البيض لا مشكلة'],
  ['Youssef', 'I’ll make the hummus. Found this, looks good: https://example.org/recipes/hummus?with=lemon'],
  ['Núria', 'Perfecte. Llista:\n- pa i tomàquets (jo)\n- formatge (Marcos)\n- postres (Ellen)\n- hummus (Youssef)'],
  ['Marcos', 'Ok, formatge 🧀. ¿Y quién trae la música?'],
  ['Ellen', 'Last time you did, and we listened to the same record four times'],
  ['Marcos', 'Era muy buen disco'],
  ['Núria', 'Quedem a les nou, carrer de la Lluna 12, segon segona. Si plou pugeu directament, el timbre no va'],
  ['Ellen', '👍'],
];

/** What no line was made for. */
export const stretching: readonly string[] = [
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3),
  `https://example.org/${'very-long-path/'.repeat(20)}?and=a&query=${'x'.repeat(120)}`,
  '👩‍👩‍👧‍👦🎉🍷🧀🍅🥖'.repeat(20),
  'مرحبا بكم في هذه الغرفة، نلتقي يوم الجمعة في الساعة التاسعة مساء',
  '    fn main() {\n        println!("indentation stays, and a long line of code must not stretch the page, whatever it holds inside of it");\n    }',
  '日本語の長い文章は単語の間に空白がないので、折り返しの規則が違います。'.repeat(6),
];

/** Says the whole evening. */
export async function hold(room: string, friends: Map<string, Guest>): Promise<void> {
  for (const [who, text] of evening) await friends.get(who)?.says(room, text);
}
