"""Where things are in the repository that this console belongs to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUPABASE = ROOT / "supabase"
MIGRATIONS = SUPABASE / "migrations"
POLICIES = SUPABASE / "policies"
CATALOG = SUPABASE / "catalog"
TYPES = SUPABASE / "types" / "database.types.ts"


def sql_files(folder: Path) -> dict[str, str]:
    """Read the SQL files of a folder, by name."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.sql"))}
