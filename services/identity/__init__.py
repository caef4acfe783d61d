"""Identity: who a member is, who a partner is, and what each may do.

Owns members and what finds them, partners, their stores and the credentials they call with. Promises that personal data
lives here alone, sealed under a key of each member's own; that a number lets a partner award and only possession lets
anyone spend; that each rotating code counts once; and that no two partners know a member by the same name.
Refuses to tell an unknown member from a blocked one, and to call anybody.
"""
