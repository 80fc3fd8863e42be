"""The books that the published K-SSM corpus was to be made of, as the numbers of Project Gutenberg.

The published builder asks for its books by number, and many of its numbers are those of other books: under
`A Room of One's Own` it fetched 4705, which is Hume's `Treatise`. So there are two lists: what it named
(`preset:kssm-log`), each under the number that the book has, and what it fetched (`preset:kssm-log-as-run`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list.

    Attributes:
        title, author: What the log calls it.
        asked: The number that the log gives.
        number: The number that a book of this title has; 0 where there is none, or none is certain.
    """

    title: str
    author: str
    asked: int
    number: int


def _lines(author: str, *books: tuple[str, int] | tuple[str, int, int]) -> list[Listed]:
    return [Listed(book[0], author, book[1], book[-1]) for book in books]


LOG: tuple[Listed, ...] = (
    *_lines("Jane Austen", ("Pride and Prejudice", 1342), ("Emma", 158), ("Sense and Sensibility", 161)),
    *_lines("Mary Shelley", ("Frankenstein", 84)),
    *_lines("Arthur Conan Doyle", ("The Adventures of Sherlock Holmes", 1661)),
    *_lines("Arthur Conan Doyle", ("The Hound of the Baskervilles", 2852)),
    *_lines("Charles Dickens", ("A Tale of Two Cities", 98), ("Oliver Twist", 730)),
    *_lines("Charles Dickens", ("Great Expectations", 1400), ("David Copperfield", 766)),
    *_lines("Herman Melville", ("Moby Dick", 2701)),
    *_lines("Lewis Carroll", ("Alice's Adventures in Wonderland", 11), ("Through the Looking-Glass", 12)),
    *_lines("Oscar Wilde", ("The Picture of Dorian Gray", 174)),
    *_lines("Emily Brontë", ("Wuthering Heights", 768)),
    *_lines("Charlotte Brontë", ("Jane Eyre", 1260)),
    *_lines("George Eliot", ("Middlemarch", 145)),
    *_lines("Mark Twain", ("Adventures of Huckleberry Finn", 76), ("The Adventures of Tom Sawyer", 74)),
    *_lines("Charlotte Perkins Gilman", ("The Yellow Wallpaper", 1952)),
    *_lines("Louisa May Alcott", ("Little Women", 514)),
    *_lines("Henry James", ("The Turn of the Screw", 209)),
    *_lines("H. G. Wells", ("The War of the Worlds", 36), ("The Time Machine", 35)),
    *_lines("H. G. Wells", ("The Island of Doctor Moreau", 159)),
    *_lines("Niccolò Machiavelli", ("The Prince", 1232)),
    *_lines("Jonathan Swift", ("A Modest Proposal", 1080), ("Gulliver's Travels", 829)),
    *_lines("Virginia Woolf", ("A Room of One's Own", 4705, 0)),
    *_lines("William Shakespeare", ("The Complete Works", 100), ("Romeo and Juliet", 1513)),
    *_lines("William Shakespeare", ("Hamlet", 1524), ("Macbeth", 2267, 1533), ("The Tempest", 1532, 1540)),
    *_lines("Fyodor Dostoyevsky", ("The Brothers Karamazov", 28054), ("Crime and Punishment", 2554)),
    *_lines("Fyodor Dostoyevsky", ("Notes from the Underground", 600)),
    *_lines("Leo Tolstoy", ("War and Peace", 2600), ("Anna Karenina", 1399)),
    *_lines("James Joyce", ("Ulysses", 4300), ("Dubliners", 2814)),
    *_lines("Franz Kafka", ("Metamorphosis", 5200), ("The Trial", 7849)),
    *_lines("Anonymous", ("Beowulf", 16328)),
    *_lines("Robert Louis Stevenson", ("Treasure Island", 120), ("Dr Jekyll and Mr Hyde", 43)),
    *_lines("Bram Stoker", ("Dracula", 345)),
    *_lines("Jack London", ("The Call of the Wild", 215)),
    *_lines("Alexandre Dumas", ("The Count of Monte Cristo", 1184)),
    *_lines("Marcus Aurelius", ("Meditations", 2413, 2680)),
    *_lines("Various", ("The King James Bible", 10)),
    *_lines("translated by J. M. Rodwell", ("The Koran", 8300, 2800)),
    *_lines("translated by F. Max Müller", ("Dhammapada", 2680, 2017)),
    *_lines("Hermann Hesse", ("Siddhartha", 2500)),
    *_lines("translated by Edwin Arnold", ("The Song Celestial, or Bhagavad-Gita", 4363, 2388)),
    *_lines("Lao Tzu, translated by James Legge", ("The Tao Teh King", 7700, 216)),
    *_lines("Confucius, translated by James Legge", ("The Analects of Confucius", 7698, 3330)),
    *_lines("Joseph Smith", ("The Book of Mormon", 17)),
    *_lines("Augustine", ("The Confessions of St. Augustine", 3296)),
    *_lines("Thomas à Kempis", ("The Imitation of Christ", 45626, 1653)),
    *_lines("Friedrich Nietzsche", ("Thus Spake Zarathustra", 1499, 1998)),
    *_lines("Epictetus", ("The Enchiridion", 5827, 45109)),
    *_lines("Plato", ("Apology", 1656), ("The Republic", 1497), ("Symposium", 1657, 1600)),
    *_lines("Plato", ("Phaedo", 6762, 1658)),
    *_lines("Aristotle", ("Poetics", 2381, 1974), ("The Nicomachean Ethics", 8438)),
    *_lines("translated by R. H. Charles", ("The Book of Enoch", 59, 0)),
    *_lines("translated by F. Max Müller", ("The Upanishads", 10897, 0)),
    *_lines("Plato", ("Phaedrus", 1998, 1636), ("Timaeus", 1600, 1572), ("Meno", 1637, 1643)),
    *_lines("Plato", ("Crito", 1658, 1657), ("Laws", 6763, 1750)),
    *_lines("Aristotle", ("Politics: A Treatise on Government", 1974, 6762), ("Metaphysics", 6867, 0)),
    *_lines("Aristotle", ("On the Soul", 8932, 0), ("The Categories", 36887, 2412), ("Physics", 69458, 0)),
    *_lines("Immanuel Kant", ("The Critique of Pure Reason", 7846, 4280)),
    *_lines("David Hume", ("An Enquiry Concerning Human Understanding", 4280, 9662)),
    *_lines("David Hume", ("A Treatise of Human Nature", 4583, 4705)),
    *_lines("John Locke", ("An Essay Concerning Humane Understanding", 10615)),
    *_lines("Thomas Hobbes", ("Leviathan", 5669, 3207)),
    *_lines("John Locke", ("Second Treatise of Government", 37090, 7370)),
    *_lines("Baruch Spinoza", ("Ethics", 7370, 3800)),
    *_lines("Friedrich Nietzsche", ("Beyond Good and Evil", 4300, 4363)),
    *_lines("Friedrich Nietzsche", ("The Birth of Tragedy", 52915, 51356)),
    *_lines("Friedrich Nietzsche", ("The Genealogy of Morals", 25717, 52319)),
    *_lines("Arthur Schopenhauer", ("The World as Will and Idea", 4363, 38427)),
    *_lines("Gottfried Wilhelm Leibniz", ("Monadology", 10643, 0)),
    *_lines("Martin Heidegger", ("Being and Time", 1497, 0)),
    *_lines("John Stuart Mill", ("Utilitarianism", 5001, 11224), ("On Liberty", 34901)),
    *_lines("G. W. F. Hegel", ("The Phenomenology of Spirit", 39270, 0)),
    *_lines("René Descartes", ("Discourse on the Method", 10662, 59)),
    *_lines("René Descartes", ("Six Metaphysical Meditations", 59, 70091)),
    *_lines("Blaise Pascal", ("Pensées", 55148, 18269)),
    *_lines("Jean-Jacques Rousseau", ("The Social Contract", 8578, 46333), ("Emile", 46333, 5427)),
)

NO_NUMBER = "its number at Project Gutenberg is not known for certain: add it from a file of yours"
